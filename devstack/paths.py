"""Where the dev stack finds the checkout and keeps what it makes."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEV_DIR = ROOT / ".dev"
EXAMPLES = ROOT / "examples"
ALL_SETTINGS = ROOT / ".env.example"
TEST_SETTINGS = ROOT / ".test.env.example"
