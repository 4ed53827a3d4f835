"""Content trees, zones, adaptations and access."""

from cms.models.access import AccessRule, AccessRuleGroupPermission, AccessRuleUserPermission, PageAccess
from cms.models.adaptations import Adaptation, ZoneEdit
from cms.models.pages import ContentPage, LevelHomePage, ResourceFile, ResourcePage, SectionPage, ZonedPage

__all__ = [
    "AccessRule",
    "AccessRuleGroupPermission",
    "AccessRuleUserPermission",
    "Adaptation",
    "ContentPage",
    "LevelHomePage",
    "PageAccess",
    "ResourceFile",
    "ResourcePage",
    "SectionPage",
    "ZoneEdit",
    "ZonedPage",
]
