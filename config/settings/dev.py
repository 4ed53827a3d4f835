"""A developer's desk: DEBUG on, keys that are worth nothing, everything under var/."""

from .base import *

DEPLOYMENT = "development"
DEBUG = True
SECRET_KEY = SECRET_KEY or "dev-only-not-secret"
ADDRESS_HASH_KEY = ADDRESS_HASH_KEY or "dev-only-address-hash-key"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
MAILBOX_ENABLED = env.bool("MAILBOX_ENABLED", default=True)
LOGGING["handlers"]["stderr"]["formatter"] = env.str("LOG_FORMAT", default="text")
VAR_DIR.mkdir(parents=True, exist_ok=True)
