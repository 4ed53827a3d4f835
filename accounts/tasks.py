"""Celery entry points of accounts; the rows decide, the broker only wakes us."""

from __future__ import annotations

from celery import shared_task


@shared_task(ignore_result=True)
def work_on_import(pk: int) -> None:
    """Check or write one import until it is done. Safe to call twice, late, or never."""
    from accounts.imports.steps import work  # deferred: the verbs queue this task

    work(pk)


@shared_task(ignore_result=True)
def sweep_imports() -> None:
    """Wake workers for imports that nobody works on."""
    from accounts.imports.steps import unattended  # deferred: the verbs queue tasks of this module

    for pk in unattended():
        work_on_import.delay(pk)


@shared_task(ignore_result=True)
def purge_imports() -> None:
    """Forget what old imports still hold of people."""
    from accounts.imports.steps import purge  # deferred: the verbs queue tasks of this module

    purge()
