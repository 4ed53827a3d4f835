"""How sign-in behaves: closed sign-up, our own mails, and links that no request header can bend."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse

from accounts import mail
from accounts.addresses import normalize_address
from accounts.models import User
from accounts.viewer import Viewer

MAILS = {  # allauth's templates and ours; what is missing here is never sent
    "account/email/password_reset_key": "password_reset",
    "account/email/email_confirmation": "email_confirmation",
    "account/email/email_confirmation_signup": "email_confirmation",
    "account/email/email_changed": "email_changed",
    "account/email/password_changed": "password_changed",
    "account/email/password_reset": "password_changed",
}


class AccountAdapter(DefaultAccountAdapter):
    """allauth's adapter: people come by invitation, and mails look like every other mail of the portal."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Never: who may join is an owner's or upstream's decision."""
        return False

    def clean_email(self, email: str) -> str:
        """One normal form everywhere, so that sign-in, reset and change find the address."""
        return normalize_address(email)

    def render_mail(
        self, template_prefix: str, email: str | list[str], context: dict[str, Any], headers: Any = None
    ) -> EmailMessage:
        """One of our own three-file mails, in the person's language and their organization's brand."""
        to = email if isinstance(email, str) else email[0]
        user = context.get("user")
        url = context.get("password_reset_url") or context.get("activate_url") or ""
        return mail.build(
            MAILS[template_prefix],
            to,
            {
                "organization": _brand_of(user),
                "name": getattr(user, "name", ""),
                "button_url": _on_our_host(url) if url else "",
                "from_email": context.get("from_email", ""),
                "to_email": context.get("to_email", ""),
                "account_email": getattr(user, "email", ""),
            },
            language=user.person.language if isinstance(user, User) else "",
        )

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Only the mails we wrote leave; the backend queues them."""
        if template_prefix in MAILS:
            super().send_mail(template_prefix, email, context)

    def send_notification_mail(
        self, template_prefix: str, user: Any, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Word of a changed password or address, also to the old address."""
        super().send_notification_mail(template_prefix, user, {**(context or {}), "user": user}, email)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to the profile."""
        return reverse("profile")


def _on_our_host(url: str) -> str:
    """The same path on the configured address: the Host header of whoever asked decides nothing."""
    parts = urlsplit(url)
    return settings.BASE_URL.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")


def _brand_of(user: Any) -> Any:
    """The organization in whose brand a person gets their account's mails; the vendor's when None."""
    if not isinstance(user, User):
        return None
    viewer = Viewer(user)
    return viewer.distributor or viewer.organization
