"""Addresses of the cms app."""

from django.urls import URLPattern, URLResolver, path

from cms import brand, home, theme

urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home, name="home"),
    path("brand/", brand.BrandView.as_view(), name="brand"),
    path("brand/preview/", brand.BrandPreview.as_view(), name="brand_preview"),
    path("brand/<int:pk>/<str:fingerprint>.css", theme.brand_css, name="brand_css"),
    path("brand/<int:pk>/<str:name>", theme.brand_logo, name="brand_logo"),
]
