from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('kafka_bridge', '0005_erasure'),
    ]

    operations = [
        migrations.AddField(
            model_name='outboxmessage',
            name='request_id',
            field=models.CharField(blank=True, db_default='', max_length=64),
        ),
        migrations.AddField(
            model_name='inboxmessage',
            name='request_id',
            field=models.CharField(blank=True, db_default='', help_text='Of the request that led to it.', max_length=64),
        ),
    ]
