"""Files of settings, one `NAME=value` a line, as `.env.example` is."""

from pathlib import Path


def read_settings(path: Path) -> dict[str, str]:
    """`NAME=value` lines; everything after `=` is the value, quotes around it are dropped."""
    settings: dict[str, str] = {}
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            name, separator, value = line.strip().partition("=")
            if separator and not name.startswith("#"):
                settings[name.strip()] = value.strip().strip("'\"")
    return settings
