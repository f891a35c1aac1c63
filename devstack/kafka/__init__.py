"""A real Apache Kafka without Docker: fetched with Maven once, run by the machine's Java."""
