"""Whether this process was asked to end. The engine then stops at its next window and settles what it sent.

A worker that is killed in the middle of a window leaves messages unconfirmed; one that is asked to stop must not.
"""

from __future__ import annotations

import threading
from typing import Any

from celery.signals import worker_shutting_down

_requested = threading.Event()
is_requested = _requested.is_set


@worker_shutting_down.connect
def request(**kwargs: Any) -> None:
    """Ask every lane of this process to stop soon; Celery sends this signal on SIGTERM."""
    _requested.set()


def forget() -> None:
    """Take the request back: for tests, which share one process."""
    _requested.clear()
