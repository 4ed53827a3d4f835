"""The audit log of verbs that change who may do what, and of refused tampering."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.enums import Role
from accounts.models.access import OrganizationOwned
from accounts.models.organizations import Organization

WORDS = {
    "invitation.sent": _("Invited a person"),
    "invitation.resent": _("Sent an invitation again"),
    "invitation.revoked": _("Took an invitation back"),
    "invitation.accepted": _("Joined"),
    "membership.role_changed": _("Changed a member's role"),
    "membership.removed": _("Removed a member"),
    "organization.changed": _("Changed the organization's details"),
    "brand.changed": _("Changed the brand"),
    "distributor.added": _("Added a distributor"),
    "distributor.active": _("Resumed the relation with a distributor"),
    "distributor.paused": _("Paused the relation with a distributor"),
    "distributor.ended": _("Ended the relation with a distributor"),
    "contact.added": _("Added a contact"),
    "contact.changed": _("Changed a contact"),
    "contact.deleted": _("Deleted a contact"),
    "contact.basis_recorded": _("Recorded why a contact may be mailed"),
    "contact.resubscribed": _("Noted that a contact wants mail again"),
    "contact.on": _("Set a contact active"),
    "contact.off": _("Set a contact inactive"),
    "reseller.added": _("Added a reseller"),
    "reseller.changed": _("Changed a reseller"),
    "reseller.active": _("Resumed the relation with a reseller"),
    "reseller.paused": _("Paused the relation with a reseller"),
    "reseller.ended": _("Ended the relation with a reseller"),
    "tag.added": _("Added a tag"),
    "tag.deleted": _("Deleted a tag"),
    "import.uploaded": _("Uploaded a network file"),
    "import.confirmed": _("Confirmed an import"),
    "import.discarded": _("Discarded an import"),
    "zone.refused": _("Tried to change a locked zone; refused"),
    "page.previewed": _("Previewed a page as a distributor"),
    "vendor.set_up": _("Set up the portal"),
    "person.exported": _("Downloaded a person's data"),
    "person.erased": _("Erased a person"),
    "person.merged": _("Joined two records of one person"),
}


class AuditEvent(OrganizationOwned):
    """One act by a person, as a name and ids; never contains contents or addresses of others."""

    owner = models.ForeignKey(Organization, null=True, on_delete=models.CASCADE, related_name="audit_events")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    name = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=60, blank=True)
    data = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name} {self.object_type} {self.object_id}"

    @property
    def words(self) -> str:
        """The act in plain words; its technical name when nobody has written them."""
        return str(WORDS.get(self.name, self.name))

    @property
    def role(self) -> str:
        """The role it is about, in words; empty without one."""
        return str(dict(Role.choices).get(self.data.get("role", ""), ""))
