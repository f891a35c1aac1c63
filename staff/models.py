"""No tables of its own; `post_migrate` is sent only for apps that have this module."""
