"""The first page after sign-in: each person lands where their work is."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from accounts.navigation import entries_for


@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Vendor staff to the admin, everybody else to their first entry of the navigation."""
    if request.user.has_perm("wagtailadmin.access_admin"):
        return redirect("wagtailadmin_home")
    if entries := entries_for(request.viewer):  # type: ignore[attr-defined]
        return redirect(entries[0].url)
    return render(
        request,
        "cms/nowhere.html",
        {"title": _("You are signed in"), "purpose": _("But you do not belong to an organization yet.")},
    )
