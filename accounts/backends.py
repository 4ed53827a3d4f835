"""Authentication by e-mail address."""

from __future__ import annotations

from allauth.account.auth_backends import AuthenticationBackend

from accounts.models import User


class EmailBackend(AuthenticationBackend):
    """allauth's backend; brings the person along, whose language and timezone every page needs."""

    def get_user(self, user_id: int) -> User | None:
        """The active user of a session, with their person, in one query."""
        user = User.objects.select_related("person").filter(pk=user_id).first()
        return user if user is not None and self.user_can_authenticate(user) else None
