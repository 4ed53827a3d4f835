"""Content."""

from django.apps import AppConfig


class CmsConfig(AppConfig):
    """Content trees, zoned pages, adaptations, effective pages and who may see them."""

    name = "cms"
