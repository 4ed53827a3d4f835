"""Who may do what to cascades, hops and waves; asked through ``accounts.policies``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _

from accounts.enums import MANAGING_ROLES
from accounts.models import Membership
from accounts.policies import Decision, Policy, register
from cascade.models import Cascade, Hop, Wave

if TYPE_CHECKING:
    from accounts.models import User

HOP_ACTIONS = frozenset({"decide", "adapt", "send"})


class CascadePolicy(Policy):
    """Vendor staff and the distributors it was offered to read; who manages the vendor releases, ends and recalls."""

    def decide(self, user: User, action: str, obj: Any) -> Decision:
        """``view`` as in ``visible_to``; ``release`` for every verb that changes a cascade."""
        if action != "release":
            return super().decide(user, action, obj)
        if user.is_superuser or any(m.organization.is_vendor and m.role in MANAGING_ROLES for m in _memberships(user)):
            return Decision(True, (_("They manage the vendor."),))
        return Decision(False, (_("Only owners and managers of the vendor may do this."),))


class HopPolicy(Policy):
    """Members read; owners and managers of the hop's own organization decide, adapt and send."""

    def decide(self, user: User, action: str, obj: Any) -> Decision:
        """``view`` as in ``visible_to``; the rest by role."""
        if action not in HOP_ACTIONS:
            return super().decide(user, action, obj)
        if user.manages(obj.organization_id):
            return Decision(True, (_("They manage this organization."),))
        return Decision(False, (_("Only owners and managers of the organization may do this."),))


class WavePolicy(HopPolicy):
    """A wave follows its hop."""

    def decide(self, user: User, action: str, obj: Any) -> Decision:
        """As for the hop, with ``view`` answered by the wave's own ``visible_to``."""
        return super().decide(user, action, obj.hop if action in HOP_ACTIONS else obj)


def _memberships(user: User) -> list[Membership]:
    return list(user.memberships.select_related("organization"))


def register_policies() -> None:
    """Called once when the apps are ready."""
    register(Cascade, CascadePolicy())
    register(Hop, HopPolicy())
    register(Wave, WavePolicy())
