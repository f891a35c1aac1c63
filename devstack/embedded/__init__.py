"""Servers that come as Python wheels: PostgreSQL, Valkey and a Kafka broker."""
