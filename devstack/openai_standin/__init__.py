"""A stand-in for the OpenAI API: an HTTP server with an honest rule-based matcher behind it."""
