"""A stand-in for the OpenAI API: a separate HTTP server with an honest rule-based matcher behind it."""
