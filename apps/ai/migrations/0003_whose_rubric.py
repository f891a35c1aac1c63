from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('ai', '0002_books_and_flags'),
    ]

    operations = [
        migrations.AddField(
            model_name='rubric',
            name='user_id',
            field=models.BigIntegerField(help_text='Whose requirements it was made from, or is being made from.', null=True),
        ),
    ]
