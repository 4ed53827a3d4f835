"""Addresses of the mailbox's viewer."""

from django.urls import path

from config.mailbox import views

urlpatterns = [
    path("", views.MessageList.as_view(), name="mailbox"),
    path("<int:number>/", views.MessageDetail.as_view(), name="mailbox_message"),
    path("<int:number>/html", views.MessageHtml.as_view(), name="mailbox_html"),
    path("<int:number>/source", views.MessageSource.as_view(), name="mailbox_source"),
    path("<int:number>/part/<int:part>", views.MessagePart.as_view(), name="mailbox_part"),
]
