"""For vendor staff, inside the Wagtail admin: a page as any distributor's readers get it, and who they are."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.generic import TemplateView, View
from wagtail.models import Page

from accounts.enums import OrganizationKind
from accounts.models import Organization
from cms import access
from cms.models import ZonedPage
from cms.preview import SESSION_KEY, PreviewMode, modes_of, preview_response, record_preview

PER_PAGE = 15
WIDTHS = [("desktop", gettext_lazy("Desktop")), ("tablet", gettext_lazy("Tablet")), ("phone", gettext_lazy("Phone"))]


class ChooserForm(forms.Form):
    """Which organization, how, and what to look for in the list of organizations."""

    q = forms.CharField(label=gettext_lazy("Search"), max_length=100, required=False)
    distributor = forms.ModelChoiceField(Organization.objects.none(), required=False)
    mode = forms.ChoiceField(choices=[(mode.value, mode.label) for mode in PreviewMode], required=False)
    width = forms.ChoiceField(choices=WIDTHS, required=False)

    def __init__(self, *args: Any, organizations: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["distributor"].queryset = organizations  # type: ignore[attr-defined]


class VendorPageView(View):
    """Vendor staff only; the newest draft for who may edit the page, what is live for everybody else of them."""

    kinds: tuple[str, ...] = (OrganizationKind.DISTRIBUTOR,)
    request: HttpRequest

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """403 for everybody else, whatever the admin's own wall says."""
        if not (request.user.is_authenticated and request.user.is_active and request.user.is_vendor):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def page(self) -> ZonedPage:
        """The page as this person may see it. 404 for drafts of others and pages without zones."""
        page = get_object_or_404(Page, pk=self.kwargs["page_id"])
        may_edit = page.permissions_for_user(self.request.user).can_edit()
        if not (may_edit or page.live):
            raise Http404
        specific = page.get_latest_revision_as_object() if may_edit else page.specific
        if not isinstance(specific, ZonedPage):
            raise Http404
        return specific

    @cached_property
    def organizations(self) -> Any:
        """Organizations that can be chosen."""
        return Organization.objects.visible_to(self.request.user).filter(kind__in=self.kinds)

    @cached_property
    def form(self) -> ChooserForm:
        """What was asked for; wrong values count as not given."""
        form = ChooserForm(self.request.GET, organizations=self.organizations)
        form.is_valid()
        return form

    @property
    def chosen(self) -> Organization | None:
        """The organization chosen, None for the vendor's own view."""
        return self.form.cleaned_data.get("distributor")

    def listed(self) -> Any:
        """One page of the organizations that match the search."""
        query = self.form.cleaned_data.get("q", "")
        found = self.organizations.filter(name__icontains=query) if query else self.organizations
        return Paginator(found.order_by("name", "pk"), PER_PAGE).get_page(self.request.GET.get("p"))

    def query(self, **changes: Any) -> str:
        """The address of this screen with some parameters changed."""
        given = {name: self.request.GET.get(name, "") for name in ("q", "distributor", "mode", "width", "p")}
        return "?" + urlencode({name: value for name, value in (given | changes).items() if value not in ("", None)})


class PreviewView(VendorPageView, TemplateView):
    """Choose a distributor on the left, see the page as its readers on the right. Read-only, and logged."""

    template_name = "cms/admin/preview.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Remember the choice for the editor's side panel; log when it changes."""
        chosen = self.chosen
        if chosen and request.session.get(SESSION_KEY) != chosen.pk:
            record_preview(self.page, chosen, by=request.user)  # type: ignore[arg-type]
        if "distributor" in request.GET:
            request.session[SESSION_KEY] = chosen.pk if chosen else None
        return super().get(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The list, the tabs and the frame's address."""
        modes, widths = modes_of(self.page), [value for value, _label in WIDTHS]
        mode = self.form.cleaned_data.get("mode")
        mode = PreviewMode(mode) if mode in modes else modes[0]
        width = self.form.cleaned_data.get("width") or widths[0]
        listed = self.listed()
        frame = {"mode": mode, "distributor": self.chosen.pk if self.chosen else ""}
        return super().get_context_data(**kwargs) | {
            "page_obj": self.page,
            "chosen": self.chosen,
            "form": self.form,
            "rows": [(one, self.query(distributor=one.pk)) for one in listed],
            "listed": listed,
            "own_url": self.query(distributor="0", p=""),
            "previous_url": self.query(p=listed.number - 1) if listed.has_previous() else "",
            "next_url": self.query(p=listed.number + 1) if listed.has_next() else "",
            "tabs": [(one.label, self.query(mode=one.value), one == mode) for one in modes],
            "widths": [(label, self.query(width=value), value == width) for value, label in WIDTHS],
            "mode": mode,
            "width": width,
            "frame_url": f"{reverse('onward:preview_frame', args=[self.page.pk])}?{urlencode(frame)}",
        }


@method_decorator(xframe_options_sameorigin, name="dispatch")
class PreviewFrame(VendorPageView):
    """What the preview's frame shows."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The document, with a policy of its own."""
        modes = modes_of(self.page)
        mode = self.form.cleaned_data.get("mode")
        return preview_response(self.page, self.chosen, mode if mode in modes else modes[0])


class AccessView(VendorPageView, TemplateView):
    """Who can see this page, and why one organization can or cannot."""

    template_name = "cms/admin/access.html"
    kinds = (OrganizationKind.DISTRIBUTOR, OrganizationKind.RESELLER)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Rules with their holders, numbers of people, and the chain for a chosen organization."""
        page = get_object_or_404(Page, pk=self.page.pk)
        audience = access.who_can_see(page)
        listed = self.listed()
        return super().get_context_data(**kwargs) | {
            "page_obj": self.page,
            "audience": audience,
            "level": access.level_of(page),
            "people_count": audience.people.count() if audience.is_live else 0,
            "organization_count": None if audience.organizations is None else audience.organizations.count(),
            "chosen": self.chosen,
            "decision": access.explain_organization(self.chosen, page) if self.chosen else None,
            "form": self.form,
            "rows": [(one, self.query(distributor=one.pk)) for one in listed],
            "listed": listed,
            "previous_url": self.query(p=listed.number - 1) if listed.has_previous() else "",
            "next_url": self.query(p=listed.number + 1) if listed.has_next() else "",
        }
