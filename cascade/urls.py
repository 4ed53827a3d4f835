"""Addresses of the cascade app."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("m/", include("cascade.recipient_urls")),
    path("items/", include("cascade.reseller_urls")),
    path("workspace/", include("cascade.workspace_urls")),
]
