"""The base of every row that belongs to an organization."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from django.db import models

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models.people import User


class OrganizationOwnedQuerySet(models.QuerySet):
    """Rows of organizations; ``owner_field`` of the model names the lookup that leads to the owner."""

    def visible_to(self, user: User | AnonymousUser) -> Self:
        """Rows owned by an organization ``user`` is an active member of. Nobody else sees any, staff included."""
        from accounts.models.people import Membership  # deferred: Membership is itself a model of this package

        if not user.is_active:
            return self.none()
        mine = Membership.objects.filter(user_id=user.pk).values("organization_id")
        return self.filter(**{f"{self.model.owner_field}__in": mine})


class OrganizationOwned(models.Model):
    """A row that exactly one organization owns and only that organization's people see."""

    owner_field: ClassVar[str] = "owner_id"

    objects = OrganizationOwnedQuerySet.as_manager()

    class Meta:
        abstract = True
