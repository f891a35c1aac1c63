import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('ai', '0004_daily_spending'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='analysis',
            index=django.contrib.postgres.indexes.BrinIndex(autosummarize=True, fields=['created_at'], name='ai_by_time'),
        ),
    ]
