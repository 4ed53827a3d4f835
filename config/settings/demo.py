"""The demo: production's way of running (DEBUG off, hashed static files) on embedded adapters and plain HTTP.

Keys are made once under VAR_DIR. The supervisor (``manage.py demo``) sets BASE_URL and EMAIL_URL for its children.
"""

from config.environment import generated_secrets

from .base import *

DEPLOYMENT = "demo"
_secrets = generated_secrets(VAR_DIR / "secrets.json", ["SECRET_KEY", "ADDRESS_HASH_KEY"])
SECRET_KEY = SECRET_KEY or _secrets["SECRET_KEY"]
ADDRESS_HASH_KEY = ADDRESS_HASH_KEY or _secrets["ADDRESS_HASH_KEY"]
LOGGING["handlers"]["stderr"]["formatter"] = env.str("LOG_FORMAT", default="text")
# The terminal of `make demo` is for people: one line per step, and what went wrong.
LOGGING["loggers"] |= {name: {"level": "WARNING"} for name in ("wagtail", "django_tasks", "modelsearch", "pyvips")}
