"""A browser tab has no threads: boto3's file transfers do without, and what can't says so in one line."""

import threading


class NotInATab(RuntimeError):
    """Something needs a thread. A notebook shows its words and no traceback."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def do_without_threads() -> None:
    """From now on, in this process: files are transferred part by part by whoever asks for it."""
    from s3transfer.futures import BoundedExecutor, NonThreadedExecutor
    BoundedExecutor.EXECUTOR_CLS = NonThreadedExecutor
    threading.Thread.start = _refuse


def _refuse(thread):
    raise NotInATab("This goes on by itself in a thread of its own, which a browser tab doesn't have. "
                    "Open this lesson on Binder, or with “make lab”.")
