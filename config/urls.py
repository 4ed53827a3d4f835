"""Every address of the product, in the order they are tried; pages of the content trees come last."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls

from config.views import Health

has_mailbox = settings.MAILBOX_ENABLED and settings.DEPLOYMENT != "production"

urlpatterns: list[URLPattern | URLResolver] = [
    *([path("mailbox/", include("config.mailbox.urls"))] if has_mailbox else []),
    path("healthz", Health.as_view(), name="health"),
    path("admin/", include(wagtailadmin_urls)),
    path("account/", include("allauth.urls")),
    path("", include("accounts.urls")),
    path("", include("cms.urls")),
    path("", include("cascade.urls")),
    path("content/", include(wagtail_urls)),
]

if settings.DEBUG:
    from cms import gallery  # deferred: a page for developers only

    urlpatterns.insert(0, path("_gallery/", gallery.view))
