"""Addresses that stand in mails. They are in inboxes for years: never change one."""

from django.urls import URLPattern, URLResolver, path

from cascade.views import recipient

urlpatterns: list[URLPattern | URLResolver] = [
    path("v/<str:token>/", recipient.ItemView.as_view(), name="recipient_view"),
    path("a/<str:token>/", recipient.ActView.as_view(), name="recipient_act"),
    path("w/<str:token>/", recipient.WhyView.as_view(), name="recipient_why"),
    path("u/<str:token>/", recipient.UnsubscribeView.as_view(), name="recipient_unsubscribe"),
    path("p/<str:token>/", recipient.PreferencesView.as_view(), name="recipient_preferences"),
]
