"""Django's PostgreSQL backend, with a pool of connections where one is wanted."""
