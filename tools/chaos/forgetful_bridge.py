"""A bridge with the one mistake that `./dev chaos --forgetful` must find.

It commits the offsets before the inbox, so what it holds when it dies is never seen again. It shows
that the run can fail; nothing else uses it.
"""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "resume_platform.settings")
    import django

    django.setup()
    from kafka_bridge.inbox import consumer
    from kafka_bridge.process import bridge

    class ForgetfulIntake(consumer.Intake):
        def _store_and_commit(self) -> bool:
            self._commit(self._batch)
            return super()._store_and_commit()

    bridge.Intake = ForgetfulIntake  # type: ignore[attr-defined]
    sys.exit(bridge.Bridge().run())


if __name__ == "__main__":
    main()
