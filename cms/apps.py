"""Content."""

from django.apps import AppConfig


class CmsConfig(AppConfig):
    """Content trees, zoned pages, adaptations, effective pages and who may see them."""

    name = "cms"

    def ready(self) -> None:
        """Give the mails of accounts their HTML."""
        from accounts.mail import register_renderer  # deferred: app ready
        from cms.mail import render_html

        register_renderer(render_html)
