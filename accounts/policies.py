"""The one place that answers "may this person do this to that?".

Each app registers a policy for its models in ``AppConfig.ready()``; pages, admin, commands and tasks ask ``can``.
What a person may *see* is ``Model.objects.visible_to(user)``; ``can(user, "view", obj)`` gives the same answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from accounts.models import User


class NotAllowed(Exception):
    """The person may not do this; the text says why and may be shown to them."""


@dataclass(frozen=True)
class Decision:
    """Yes or no, with the chain of rules that led there, outermost first."""

    allowed: bool
    reasons: tuple[str, ...]

    def __bool__(self) -> bool:
        return self.allowed


class Policy:
    """Rules of one model. Subclasses answer ``decide``; no answer means no."""

    def decide(self, user: User, action: str, obj: Any) -> Decision:
        """Whether ``user`` (active, signed in) may ``action`` ``obj``, and why."""
        if action == "view":
            visible = type(obj)._default_manager.visible_to(user).filter(pk=obj.pk).exists()
            return Decision(visible, (_("It is visible to them.") if visible else _("It is not visible to them."),))
        return Decision(False, (_("No rule allows “%(action)s”.") % {"action": action},))


_policies: dict[type[models.Model], Policy] = {}


def register(model: type[models.Model], policy: Policy) -> None:
    """Make ``policy`` answer for ``model`` and its subclasses."""
    _policies[model] = policy


def explain(user: User | AnonymousUser, action: str, obj: models.Model) -> Decision:
    """Whether ``user`` may ``action`` ``obj``, with the reasons. Inactive and anonymous people may nothing."""
    if isinstance(user, AnonymousUser) or not user.is_authenticated:
        return Decision(False, (_("Nobody is signed in."),))
    if not user.is_active:
        return Decision(False, (_("The account is not active."),))
    for cls in type(obj).__mro__:
        if policy := _policies.get(cls):
            return policy.decide(user, action, obj)
    return Decision(False, (_("Nothing is known about this kind of object."),))


def can(user: User | AnonymousUser, action: str, obj: models.Model) -> bool:
    """Whether ``user`` may ``action`` ``obj``; fails closed."""
    return bool(explain(user, action, obj))


def require(user: User | AnonymousUser, action: str, obj: models.Model) -> None:
    """Raise NotAllowed, with the last reason, unless ``user`` may ``action`` ``obj``."""
    decision = explain(user, action, obj)
    if not decision:
        raise NotAllowed(decision.reasons[-1])
