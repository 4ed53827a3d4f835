"""Tests: in-memory storage and mail, a fast hasher, SQLite unless DATABASE_URL says otherwise."""

import os

os.environ.setdefault("SECRET_KEY", "test-secret-key")
os.environ.setdefault("ADDRESS_HASH_KEY", "test-address-hash-key")

from .base import *

DEPLOYMENT = "test"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["NAME"] = ":memory:"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True  # no collected files to look for
OWN_HOSTS = ["testserver", "localhost"]
CELERY_BROKER_URL = "memory://"  # tests call tasks; journeys start a real worker with settings of their own
CELERY_BROKER_TRANSPORT_OPTIONS = {}
LOGGING = {"version": 1, "disable_existing_loggers": False}
