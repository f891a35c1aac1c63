"""Django's PostgreSQL backend with a pool of connections that a process's threads share."""
