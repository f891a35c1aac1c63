"""What can go wrong in the dev stack, each as one sentence for the person at the terminal.

StackError
 ├── StartFailed    a part of the stack did not start
 └── AlreadyRunning another stack runs in the same directory
"""


class StackError(Exception):
    """Its text is shown as it is, without a traceback."""


class StartFailed(StackError):
    def __init__(self, name: str, reason: str, log_tail: str) -> None:
        self.name = name
        self.log_tail = log_tail
        shown = f"\n--- the end of its log ---\n{log_tail}" if log_tail else ""
        super().__init__(f"{name} failed to start: {reason}.{shown}")


class AlreadyRunning(StackError):
    pass
