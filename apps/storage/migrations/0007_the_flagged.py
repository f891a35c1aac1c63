from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('storage', '0006_the_words_of_requirements'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='storedprocessing',
            index=models.Index(condition=models.Q(('details__flags__0__isnull', False)), fields=['-create_at', '-id'], name='storage_processing_flagged'),
        ),
    ]
