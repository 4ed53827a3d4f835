"""The audit log: who changed who may do what, and who tried what they may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from accounts.models import AuditEvent, Organization

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser
    from django.db.models import Model

    from accounts.models import User


def record(
    name: str,
    *,
    by: User | AnonymousUser | None,
    owner: Organization | None,
    obj: Model | None = None,
    **data: str | int | bool | list[str] | None,
) -> AuditEvent:
    """Append one event to the log of ``owner``, whose managers read it.

    ``name`` is "noun.verb" in the past tense ("invitation.sent"). ``data`` holds ids and choices, never contents,
    tokens, or addresses of other people: the log outlives their erasure.
    """
    return AuditEvent.objects.create(
        owner=owner,
        actor=by if by is not None and by.is_authenticated else None,
        name=name,
        object_type=obj._meta.label_lower if obj is not None else "",
        object_id=str(obj.pk) if obj is not None else "",
        data=_plain(data),
    )


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    return {key: str(value) if isinstance(value, str) else value for key, value in data.items()}
