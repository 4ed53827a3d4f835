"""The Celery app. The schedule is in settings: due times live in our tables, beat only wakes the sweeper."""

import os
from pathlib import Path
from typing import Any

from celery import Celery
from celery.signals import beat_embedded_init, setup_logging, worker_ready

from config import broker
from config.stack.tether import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")
broker.install()
app = Celery("onward")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.on_after_configure.connect
def make_broker_folders(sender: Celery, **kwargs: Any) -> None:
    """Make the folders of the ``filesystem://`` broker: kombu makes the control folder only."""
    if sender.conf.broker_url.startswith("filesystem:"):
        Path(sender.conf.broker_transport_options["data_folder_in"]).mkdir(parents=True, exist_ok=True)


@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Leave the log as the settings configured it: a receiver of this signal is what stops Celery's own set-up."""


@worker_ready.connect
def report_ready(**kwargs: Any) -> None:
    """Touch the file that the supervisor waits for."""
    if path := os.environ.get("WORKER_READY_FILE"):
        Path(path).touch()


@beat_embedded_init.connect
def end_with_worker(**kwargs: Any) -> None:
    """Let an embedded beat die with its worker, even a killed one; two beats would do no harm but never end."""
    die_with_parent()
