import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

# Whoever changes a resume's text takes the old one's words away in the same transaction. Inserts,
# which come by the thousand, fire nothing.
FORGET_WORDS = """
CREATE FUNCTION storage_forget_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM storage_resumewords WHERE resume_pk = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER storage_words_of_changed AFTER UPDATE OF resume ON storage_storedresume
    FOR EACH ROW WHEN (OLD.resume IS DISTINCT FROM NEW.resume)
    EXECUTE FUNCTION storage_forget_words();
CREATE TRIGGER storage_words_of_deleted AFTER DELETE ON storage_storedresume
    FOR EACH ROW EXECUTE FUNCTION storage_forget_words();
"""
REMEMBER_WORDS = """
DROP TRIGGER storage_words_of_changed ON storage_storedresume;
DROP TRIGGER storage_words_of_deleted ON storage_storedresume;
DROP FUNCTION storage_forget_words();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('storage', '0003_staff_permissions_and_deleted_resumes'),
    ]

    operations = [
        migrations.CreateModel(
            name='ResumeWords',
            fields=[
                ('resume_pk', models.BigIntegerField(primary_key=True, serialize=False)),
                ('words', django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.AddIndex(
            model_name='resumewords',
            index=django.contrib.postgres.indexes.GinIndex(fields=['words'], name='storage_resume_words'),
        ),
        migrations.RunSQL(FORGET_WORDS, REMEMBER_WORDS),
    ]
