import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

# As for resumes (0004).
FORGET_WORDS = """
CREATE FUNCTION storage_forget_requirements_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM storage_requirementswords WHERE requirements_pk = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER storage_words_of_changed AFTER UPDATE OF requirements ON storage_storedrequirements
    FOR EACH ROW WHEN (OLD.requirements IS DISTINCT FROM NEW.requirements)
    EXECUTE FUNCTION storage_forget_requirements_words();
CREATE TRIGGER storage_words_of_deleted AFTER DELETE ON storage_storedrequirements
    FOR EACH ROW EXECUTE FUNCTION storage_forget_requirements_words();
"""
REMEMBER_WORDS = """
DROP TRIGGER storage_words_of_changed ON storage_storedrequirements;
DROP TRIGGER storage_words_of_deleted ON storage_storedrequirements;
DROP FUNCTION storage_forget_requirements_words();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('storage', '0005_the_staffs_lists'),
    ]

    operations = [
        migrations.CreateModel(
            name='RequirementsWords',
            fields=[
                ('requirements_pk', models.BigIntegerField(primary_key=True, serialize=False)),
                ('words', django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.AddIndex(
            model_name='requirementswords',
            index=django.contrib.postgres.indexes.GinIndex(fields=['words'], name='storage_requirements_words'),
        ),
        migrations.RunSQL(FORGET_WORDS, REMEMBER_WORDS),
        migrations.AlterModelOptions(
            name='storedrequirements',
            options={'verbose_name': 'vacancy', 'verbose_name_plural': 'vacancies'},
        ),
    ]
