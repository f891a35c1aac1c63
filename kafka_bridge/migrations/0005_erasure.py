from django.db import migrations, models
import django.utils.timezone


class Migration(migrations.Migration):

    dependencies = [
        ('kafka_bridge', '0004_staff_permissions'),
    ]

    operations = [
        migrations.CreateModel(
            name='ErasedUser',
            fields=[
                ('user_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('erased_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'verbose_name': 'erased user',
            },
        ),
        migrations.AddField(
            model_name='inboxmessage',
            name='user_id',
            field=models.BigIntegerField(help_text="Whose message it is; 0: nobody's.", null=True),
        ),
        migrations.AddField(
            model_name='deadletter',
            name='user_id',
            field=models.BigIntegerField(help_text="Whose message it is; 0: nobody's.", null=True),
        ),
    ]
