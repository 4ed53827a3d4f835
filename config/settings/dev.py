"""A developer's desk: DEBUG on, keys that are worth nothing, everything under var/."""

from .base import *

DEBUG = True
SECRET_KEY = SECRET_KEY or "dev-only-not-secret"
ADDRESS_HASH_KEY = ADDRESS_HASH_KEY or "dev-only-address-hash-key"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
VAR_DIR.mkdir(parents=True, exist_ok=True)
