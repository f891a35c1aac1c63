import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("kafka_bridge", "0008_suspects_index"),
    ]

    operations = [
        migrations.AlterField(
            model_name="messagetask",
            name="message",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tasks",
                to="kafka_bridge.inboxmessage",
            ),
        ),
    ]
