"""Makes a text of the model fit to store and to list."""


def one_line(text: str) -> str:
    """White space folded; without NUL, which PostgreSQL's jsonb does not take."""
    return " ".join(text.replace("\x00", "").split())
