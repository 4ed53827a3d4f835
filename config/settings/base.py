"""Settings shared by every environment; all that differs is read from environment variables.

Embedded adapters (SQLite, filesystem broker, folder storage, loopback SMTP) are the default; PostgreSQL, Redis or
RabbitMQ, S3 and a real relay are named by URL. See docs/deploy.md for the variables.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.utils.translation import gettext_lazy as _

from config.environment import base_url, mail_settings, port_number

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parents[2]
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).resolve()  # everything the running product writes

DEPLOYMENT = ""  # production | demo | development | test; system checks ask it what is allowed
DEBUG = False
SECRET_KEY = env.str("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
# Never rotated: suppression must outlive the secret key, else a re-import brings everybody back.
ADDRESS_HASH_KEY = env.str("ADDRESS_HASH_KEY", default="")

PORT = port_number("PORT", default=8000)  # of the demo and the development server
BASE_URL = base_url(env.str("BASE_URL", default=f"http://localhost:{PORT}"))  # what links in mails start with
ALLOWED_HOSTS = ["*"]  # accounts.middleware.HostMiddleware refuses what is neither ours nor an OrganizationHost
OWN_HOSTS = env.list("OWN_HOSTS", default=[urlsplit(BASE_URL).hostname, "localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "config.apps.OnwardConfig",
    "training",
    "campaigns",
    "cascade",
    "cms",
    "accounts",
    "allauth",
    "allauth.account",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.embeds",
    "wagtail.sites",
    "wagtail.users",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "django_tasks",
    "django_filters",
    "django_htmx",
    "guardian",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.sitemaps",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "accounts.middleware.HostMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "config.middleware.AdminPolicyMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "accounts.middleware.ViewerMiddleware",
    "accounts.middleware.PreferencesMiddleware",
    "accounts.admin_access.AdminAccessMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "cms.context_processors.portal",
            ]
        },
    }
]

# --- database ---------------------------------------------------------------------------------------------------
if env.str("DATABASE_URL", default=""):
    DATABASES: dict[str, Any] = {"default": env.db("DATABASE_URL")}
else:
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": VAR_DIR / "onward.sqlite3"}}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        # Deferred transactions that read and then write fail with "database is locked" under four writers.
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": env.cache("CACHE_URL", default="locmemcache://")}

# --- people -----------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "accounts.backends.EmailBackend",  # also answers for model permissions, which Wagtail asks
    "guardian.backends.ObjectPermissionBackend",
]
ANONYMOUS_USER_NAME = None  # guardian: otherwise a made-up user appears in the admin's lists
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "accounts.adapters.AccountAdapter"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False  # a stranger must not make us write to whom we do not know
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_CHANGE_EMAIL = True  # one address to sign in with; the new one counts once it is confirmed
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before address or password change
ACCOUNT_LOGOUT_REDIRECT_URL = LOGIN_URL
ACCOUNT_EMAIL_VERIFICATION = "mandatory"

# --- languages --------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("fr", _("French")), ("es", _("Spanish"))]
WAGTAIL_CONTENT_LANGUAGES = LANGUAGES
WAGTAIL_I18N_ENABLED = True
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# --- files ------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
MEDIA_URL = "/media/"  # never mapped to a folder: checked views serve it, to vendor staff alone
MEDIA_ROOT = VAR_DIR / "media"
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
S3_BUCKET = env.str("S3_BUCKET", default="")  # credentials come from boto3's own chain (AWS_* variables, instance role)
if S3_BUCKET:
    STORAGES["default"] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "region_name": env.str("S3_REGION", default="") or None,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            # A signed link outlives the permission that handed it out, so it lives for minutes.
            "querystring_expire": env.int("S3_LINK_MINUTES", default=5) * 60,
            "signature_version": "s3v4",
        },
    }
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000  # the Wagtail editor of a long page posts thousands
FILE_UPLOAD_PERMISSIONS = 0o640

# --- Celery: the database row is the queue, the broker only a bell ----------------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default="filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem:"):
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = {
        # In and out must be the same folder, else publisher and worker never meet.
        "data_folder_in": str(VAR_DIR / "broker" / "messages"),
        "data_folder_out": str(VAR_DIR / "broker" / "messages"),
        "control_folder": str(VAR_DIR / "broker" / "control"),
        "polling_interval": 0.1,
    }
elif CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}  # no task runs longer than a minute or two
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2}  # the sweeper is next
CELERY_BEAT_SCHEDULE = {
    # Wakes what is due and reaps what died; a lost message costs one interval (seconds), never a delivery.
    "sweep": {"task": "cascade.tasks.sweep", "schedule": 5.0, "options": {"expires": 10}},
    "sweep_imports": {"task": "accounts.tasks.sweep_imports", "schedule": 20.0, "options": {"expires": 20}},
    "purge_imports": {"task": "accounts.tasks.purge_imports", "schedule": 6 * 3600.0},
}
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}  # Wagtail's own small jobs

IMPORT_RETENTION_DAYS = env.int("IMPORT_RETENTION_DAYS", default=30)  # rows of imported files hold personal data

# How long a chunk belongs to the worker that leased it, in seconds; only drills shorten it.
LEASE_SECONDS = env.float("LEASE_SECONDS", default=60.0)

# --- mail -------------------------------------------------------------------------------------------------------
EMAIL_BACKEND = "cascade.outbox.OutboxEmailBackend"  # a row first: a dead mail server breaks no page
EMAIL_URL = env.str("EMAIL_URL", default="smtp://127.0.0.1:1025")  # the relay the engine speaks to
_relay = mail_settings(EMAIL_URL)
EMAIL_HOST, EMAIL_PORT = _relay["EMAIL_HOST"], _relay["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _relay["EMAIL_HOST_USER"], _relay["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _relay["EMAIL_USE_TLS"], _relay["EMAIL_USE_SSL"]
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Onward <portal@onward.example>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL

# The demo's mailbox holds every tenant's tokens: a system check refuses it in production.
MAILBOX_ENABLED = env.bool("MAILBOX_ENABLED", default=False)
MAILBOX_DIR = VAR_DIR / "mailbox"

# --- Wagtail ----------------------------------------------------------------------------------------------------
WAGTAIL_SITE_NAME = "Onward"
WAGTAILADMIN_BASE_URL = BASE_URL
WAGTAILADMIN_LOGIN_URL = LOGIN_URL
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False  # people sign in, and change passwords, in the portal
WAGTAIL_EMAIL_MANAGEMENT_ENABLED = False
WAGTAIL_PAGE_MODEL = "wagtailcore.Page"
WAGTAIL_GRAVATAR_PROVIDER_URL = None  # the admin must not phone out
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}

# --- security ---------------------------------------------------------------------------------------------------
X_FRAME_OPTIONS = "SAMEORIGIN"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "frame-ancestors": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}

# --- log: one line per event on stderr, JSON for machines or text for people --------------------------------------
LOG_FORMAT = env.str("LOG_FORMAT", default="json")
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.JsonFormatter"}, "text": {"()": "config.logs.TextFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        "django": {"handlers": [], "propagate": True},  # Django's own handler would mail the admins
        "django.server": {"handlers": ["stderr"], "propagate": False},
        "celery.beat": {"level": "WARNING"},  # else a line every five seconds
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
}
