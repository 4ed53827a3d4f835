"""Celery entry points. Each only wakes the engine: the database row is the queue, so a lost task costs a sweep."""

from __future__ import annotations

from celery import Task, shared_task
from django.db import transaction

_EXPIRES = 30  # seconds; a bell that rang long ago says nothing


def ring(task: Task, *, countdown: float | None = None) -> None:
    """Queue ``task`` when the transaction has committed. A dead broker is logged and breaks nothing: the sweeper is
    next. ``countdown`` is seconds, and only a few: brokers lose or double what waits long."""
    expires = _EXPIRES + (countdown or 0)
    transaction.on_commit(lambda: task.apply_async(countdown=countdown, expires=expires), robust=True)


@shared_task(ignore_result=True)
def sweep() -> None:
    """See to everything that is due, then wake the lanes that have something to send."""
    from cascade import counters, engine, outbox  # deferred: verbs queue these tasks

    counters.fold()
    for lane in engine.sweep():
        drain.apply_async((lane,), expires=_EXPIRES)
    if outbox.is_due():
        drain_outbox.apply_async(expires=_EXPIRES)


@shared_task(ignore_result=True)
def drain(lane: int) -> None:
    """Send what is due in a lane until nothing is left or the time slice ends. Safe to call twice, late, or never."""
    from cascade import engine  # deferred: verbs queue this task

    engine.drain_lane(lane)


@shared_task(ignore_result=True)
def drain_outbox() -> None:
    """Send transactional mail that waits. Safe to call twice, late, or never."""
    from cascade import outbox  # deferred: the mail backend queues this task

    outbox.drain()
