"""Production: every secret and address must be given; nothing has a default that could leak into the open."""

from config.environment import required_secret

from .base import *

DEPLOYMENT = "production"
SECRET_KEY = required_secret("SECRET_KEY")
ADDRESS_HASH_KEY = required_secret("ADDRESS_HASH_KEY")
BASE_URL = base_url(env.str("BASE_URL"))
OWN_HOSTS = env.list("OWN_HOSTS", default=[urlsplit(BASE_URL).hostname])
EMAIL_URL = env.str("EMAIL_URL")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.str("DEFAULT_FROM_EMAIL")

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]  # load balancers ask without TLS
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)  # else all visitors share one rate limit
# Only behind a proxy that sets or strips the header itself; otherwise a visitor could claim to come over TLS.
if env.bool("TRUST_X_FORWARDED_PROTO", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SILENCED_SYSTEM_CHECKS = [
    "security.W019",  # pages of ours frame pages of ours (previews); X_FRAME_OPTIONS refuses everybody else
    "security.W021",  # HSTS preloading binds a whole domain for good: its owner's decision, not a default
]
