"""Content."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CmsConfig(AppConfig):
    """Content trees, zoned pages, adaptations, effective pages and who may see them."""

    name = "cms"

    def ready(self) -> None:
        """Connect the receivers, register this app's policies, fill the navigation and the mails of accounts."""
        from wagtail.models import Page  # deferred: app ready

        from accounts import admin_access, navigation, policies  # deferred: app ready
        from accounts.mail import register_renderer  # deferred: app ready
        from cms import access, receivers  # noqa: F401  # deferred: app ready; importing connects the receivers
        from cms.mail import render_html  # deferred: app ready
        from cms.models import AccessRule, Adaptation  # deferred: app ready

        admin_access.allow("onward:*")
        policies.register(Page, access.PagePolicy())
        policies.register(AccessRule, access.AccessRulePolicy())
        policies.register(Adaptation, access.AdaptationPolicy())
        register_renderer(render_html)
        navigation.register(_("Content"), "content", "book", 40, lambda viewer: viewer.organization is not None)
        navigation.register(_("Brand"), "brand", "palette", 80, lambda viewer: viewer.kind in {"vendor", "distributor"})
