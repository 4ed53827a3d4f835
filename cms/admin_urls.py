"""Our screens about content inside the Wagtail admin."""

from django.urls import path

from cms import admin_views

app_name = "onward"
urlpatterns = [
    path("preview/<int:page_id>/", admin_views.PreviewView.as_view(), name="preview"),
    path("preview/<int:page_id>/frame/", admin_views.PreviewFrame.as_view(), name="preview_frame"),
    path("access/<int:page_id>/", admin_views.AccessView.as_view(), name="access"),
]
