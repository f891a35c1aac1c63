"""A trigger wakes the relay at the commit of each transaction that fills the outbox."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("kafka_bridge", "0001_initial")]

    operations = [
        migrations.RunSQL(
            sql="""
            CREATE FUNCTION kafka_bridge_wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM pg_notify('kafka_bridge_outbox', '');
                RETURN NULL;
            END $$;
            CREATE TRIGGER wake_relay AFTER INSERT ON kafka_bridge_outboxmessage
                FOR EACH STATEMENT EXECUTE FUNCTION kafka_bridge_wake_relay();
            """,
            reverse_sql="""
            DROP TRIGGER wake_relay ON kafka_bridge_outboxmessage;
            DROP FUNCTION kafka_bridge_wake_relay();
            """,
        )
    ]
