from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # The indexes grow beside the writes, which never wait for them.
    atomic = False

    dependencies = [
        ('storage', '0004_the_words_of_resumes'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='storedprocessing',
            options={'permissions': [('export_processing', 'Can export processings'), ('judge_again', 'Can have a processing judged again'), ('cancel_processing', 'Can cancel a processing that waits'), ('delete_with_texts', 'Can delete a processing with its texts')], 'verbose_name': 'processing', 'verbose_name_plural': 'processings'},
        ),
        migrations.AlterField(
            model_name='storedprocessing',
            name='status',
            field=models.CharField(choices=[('queued', 'queued'), ('finished', 'finished'), ('failed', 'failed'), ('deleted', 'deleted')], default='queued', max_length=10),
        ),
        AddIndexConcurrently(
            model_name='storedprocessing',
            index=models.Index(fields=['-create_at', '-id'], include=('status', 'score', 'requirements_id', 'user_id'), name='storage_processing_newest'),
        ),
        AddIndexConcurrently(
            model_name='storedprocessing',
            index=models.Index(fields=['requirements_id', '-score'], name='storage_processing_vacancy'),
        ),
        AddIndexConcurrently(
            model_name='storedprocessing',
            index=models.Index(fields=['resume_id'], name='storage_processing_resume'),
        ),
    ]
