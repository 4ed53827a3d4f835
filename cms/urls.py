"""Addresses of the cms app."""

from django.urls import URLPattern, URLResolver, path

from cms import brand, files, home, legal, mail_images, theme, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("imprint/", legal.imprint, name="imprint"),
    path("privacy/", legal.privacy, name="privacy"),
    path("brand/", brand.BrandView.as_view(), name="brand"),
    path("brand/preview/", brand.BrandPreview.as_view(), name="brand_preview"),
    path("brand/<int:pk>/<str:fingerprint>.css", theme.brand_css, name="brand_css"),
    path("brand/<int:pk>/<str:name>", theme.brand_logo, name="brand_logo"),
    path("search/", views.SearchView.as_view(), name="search"),
    path("content/", views.ContentHome.as_view(), name="content"),
    # Wagtail's own address of a page is this one too (config.urls), but ours answers: one look-up, one gate.
    path("content/<path:path>/", views.ContentPageView.as_view(), name="content_page"),
    path("files/signed/<str:token>/", files.signed_file, name="signed_file"),
    path("files/<int:page_id>/images/<int:image_id>/<int:width>/", files.content_image, name="content_image"),
    path("files/<int:page_id>/<int:document_id>/<path:filename>", files.content_document, name="content_document"),
    path("mail-images/<slug:scope>/<str:name>", mail_images.mail_image, name="mail_image"),
    # What the Wagtail admin links to, for vendor staff only.
    path("media/<path:path>", files.staff_media, name="staff_media"),
    path("documents/<int:document_id>/<path:filename>", files.staff_document, name="wagtaildocs_serve"),
]
