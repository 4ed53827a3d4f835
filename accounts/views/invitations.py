"""The page behind the link of an invitation."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.generic import View

from accounts import invitations
from accounts.forms.people import JoinForm
from accounts.models import Invitation


@method_decorator([never_cache, sensitive_post_parameters("password")], name="dispatch")
class InvitationPage(View):
    """Join: with a new account, with one's own account, or a clear word why not. A GET changes nothing."""

    def dispatch(self, request: HttpRequest, token: str) -> HttpResponse:
        """Find the invitation; a dead link and a made-up one look the same."""
        invitation = invitations.find(token)
        if invitation is None or not invitations.is_open(invitation):
            return render(request, "accounts/invitation_dead.html", status=410)
        invited = invitations.invited_user(invitation)
        if request.user.is_authenticated:
            if request.user != invited:
                return self._page("invitation_other", invitation)
            return self._as_member(request, invitation)
        if invited is not None:
            return self._page("invitation_sign_in", invitation, next=request.path)
        return self._as_new(request, invitation)

    def _as_member(self, request: HttpRequest, invitation: Invitation) -> HttpResponse:
        if request.method != "POST":
            return self._page("invitation_confirm", invitation)
        try:
            membership = invitations.accept(invitation, request.user)  # type: ignore[arg-type]
        except invitations.InvalidInvitation:
            return render(request, "accounts/invitation_dead.html", status=410)
        messages.success(request, _("Welcome to %(name)s.") % {"name": membership.organization})
        return redirect("home")

    def _as_new(self, request: HttpRequest, invitation: Invitation) -> HttpResponse:
        form = JoinForm(request.POST or None, email=invitation.email, initial={"name": invitation.name})
        if request.method != "POST" or not form.is_valid():
            return self._page("invitation_join", invitation, form=form)
        try:
            user = invitations.accept_as_new(invitation, language=get_language() or "", **form.cleaned_data)
        except (invitations.InvalidInvitation, invitations.WrongPerson):
            return redirect(request.path)
        login(request, user, backend="accounts.backends.EmailBackend")
        messages.success(request, _("Welcome to %(name)s.") % {"name": invitation.organization})
        return redirect("home")

    def _page(self, name: str, invitation: Invitation, **context: Any) -> HttpResponse:
        return render(self.request, f"accounts/{name}.html", {"invitation": invitation, **context})
