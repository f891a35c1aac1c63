"""What the dev stack says to the person at the terminal."""

import os
import time

from devstack.stack import Stack


def say(sentence: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {sentence}", flush=True)


def show_choices(stack: Stack) -> None:
    """What the stack set differently from production, and why the stand-in judges."""
    if stack.limits:
        chosen = " ".join(f"{name}={value}" for name, value in stack.limits.items())
        print(f"\n  Limits of the dev stack, not production's: {chosen}")
    if os.environ.get("OPENAI_API_KEY") and not stack.environment.outside.openai:
        print(
            "\n  OPENAI_API_KEY is set but OPENAI_BASE_URL is not, so the stand-in judges; for the"
            "\n  real API set OPENAI_BASE_URL=https://api.openai.com/v1 as well."
        )
