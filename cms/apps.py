"""Content."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmsConfig(AppConfig):
    """Content trees, zoned pages, adaptations, effective pages and who may see them."""

    name = "cms"

    def ready(self) -> None:
        """Give the mails of accounts their HTML, and the navigation its brand page."""
        from accounts import navigation  # deferred: app ready
        from accounts.mail import register_renderer
        from cms.mail import render_html

        register_renderer(render_html)
        navigation.register(_("Brand"), "brand", "palette", 80, lambda viewer: viewer.organization is not None)
