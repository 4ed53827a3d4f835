"""The page on which an organization edits its brand, with a live preview of a real mail and page."""

from __future__ import annotations

from io import BytesIO
from types import SimpleNamespace
from typing import Any

from csp.decorators import csp_update
from django import forms
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.generic.edit import FormView
from PIL import Image

from accounts import brands, colors
from accounts.audit import record
from accounts.logo_reader import suggested_colors
from accounts.models import Brand, Organization
from cms import mail, theme

FIELDS = (
    "color",
    "sender_name",
    "reply_to",
    "postal_address",
    "legal_footer",
    "contact_name",
    "contact_email",
    "contact_phone",
)


class LogoField(forms.FileField):
    """An upload that comes out of ``clean`` as a CleanLogo."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            required=False,
            widget=forms.FileInput(attrs={"accept": ".png,.jpg,.jpeg,.webp,.svg"}),
            **kwargs,
        )

    def clean(self, data: UploadedFile | None, initial: Any = None) -> brands.CleanLogo | None:
        """Read and sanitize the upload; None when nothing was chosen."""
        super().clean(data, initial)
        return brands.read_logo(data) if data else None


class BrandForm(forms.ModelForm):
    """Everything of a brand that its owner decides."""

    new_logo = LogoField(
        label=gettext_lazy("Logo"), help_text=gettext_lazy("PNG, JPEG, WebP or SVG, up to 4 MB and 24 megapixels.")
    )
    new_logo_dark = LogoField(
        label=gettext_lazy("Logo for dark backgrounds"), help_text=gettext_lazy("Only if the first one would not show.")
    )

    class Meta:
        model = Brand
        fields = FIELDS
        widgets = {
            "color": forms.TextInput(attrs={"type": "color"}),
            "postal_address": forms.Textarea(attrs={"rows": 3}),
            "legal_footer": forms.Textarea(attrs={"rows": 3}),
        }
        help_texts = {
            "color": gettext_lazy("Buttons and links. Text on it is set to black or white, whichever reads better."),
            "sender_name": gettext_lazy("What recipients see as the sender. Empty: your organization's name."),
            "reply_to": gettext_lazy("Answers to your mails go here."),
            "postal_address": gettext_lazy("Stands at the end of every mail; many countries require it."),
            "legal_footer": gettext_lazy("Company register, VAT number and the like."),
            "contact_name": gettext_lazy("Whom your resellers ask. Shown in mails and in their portal."),
        }

    def clean_sender_name(self) -> str:
        """Header-safe: a line break in a name would start a new header."""
        name = self.cleaned_data["sender_name"]
        if any(ord(character) < 32 for character in name):
            raise forms.ValidationError(_("The name may not contain line breaks."))
        return name

    def save(self, commit: bool = True) -> Brand:
        """Save the words and colors, then the logos if new ones were given."""
        brand = super().save(commit)
        if logo := self.cleaned_data["new_logo"]:
            brands.set_logo(brand, logo)
        if logo := self.cleaned_data["new_logo_dark"]:
            brands.set_dark_logo(brand, logo)
        return brand


def brand_of(request: HttpRequest) -> Brand:
    """The brand of the organization the person acts for. Raises PermissionDenied without one."""
    organization: Organization | None = request.viewer.organization  # type: ignore[attr-defined]
    if organization is None:
        raise PermissionDenied
    return Brand.objects.get_or_create(organization=organization)[0]


class BrandView(LoginRequiredMixin, FormView):
    """Edit the brand of one's own organization; members who may not edit see it read-only."""

    form_class = BrandForm
    template_name = "cms/brand/edit.html"
    success_url = reverse_lazy("brand")
    extra_context = {
        "title": gettext_lazy("Your brand"),
        "purpose": gettext_lazy("How your mails and your resellers' portal look."),
    }

    def get_form_kwargs(self) -> dict[str, Any]:
        """Bind the form to the person's own brand."""
        return {**super().get_form_kwargs(), "instance": brand_of(self.request)}

    def get_form(self, form_class: type[BrandForm] | None = None) -> BrandForm:
        """Disabled fields for those who may only look."""
        form: BrandForm = super().get_form(form_class)
        if not self.request.viewer.can_manage:  # type: ignore[attr-defined]
            for field in form.fields.values():
                field.disabled = True
        return form

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Only owners and managers change a brand."""
        if not request.viewer.can_manage:  # type: ignore[attr-defined]
            raise PermissionDenied
        return super().post(request, *args, **kwargs)

    def form_valid(self, form: BrandForm) -> HttpResponse:
        """Save, tell, and stay on the page."""
        brand = form.save()
        record("brand.changed", by=self.request.user, owner=brand.organization, obj=brand, fields=form.changed_data)
        messages.success(self.request, _("Saved. Your next mails look like the preview."))
        return HttpResponseRedirect(self.success_url)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """What is missing, colors found in the logo, and how well the chosen one reads."""
        context = super().get_context_data(**kwargs)
        brand = brand_of(self.request)  # as stored: the form's instance may hold values it refuses
        return context | {
            "edited": brand,
            "edited_logo_url": theme.logo_url(brand),
            "missing": brands.missing(brand),
            "suggestions": suggestions(brand),
            "palette": colors.palette(brand.color),
            "can_manage": self.request.viewer.can_manage,  # type: ignore[attr-defined]
        }


def suggestions(brand: Brand) -> list[str]:
    """Colors of the stored logo that could carry the brand."""
    if not brand.logo:
        return []
    with brand.logo.open("rb") as file:
        return suggested_colors(Image.open(BytesIO(file.read())).convert("RGBA"))


@method_decorator([xframe_options_sameorigin, csp_update({"style-src": ["'unsafe-inline'"]})], name="dispatch")
class BrandPreview(LoginRequiredMixin, View):
    """A sample mail in the brand as it stands in the form, without saving. Values of the query win over stored ones."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """HTML of the mail; unusable values fall back to the stored ones, a preview never fails."""
        brand = brand_of(request)
        form = BrandForm({**{name: getattr(brand, name) for name in FIELDS}, **request.GET.dict()}, instance=brand)
        form.is_valid()
        stored = Brand.objects.get(pk=brand.pk)
        for name in FIELDS:
            if name in form.errors:
                setattr(brand, name, getattr(stored, name))
        organization = brand.organization
        organization.brand = brand
        base_url = f"{request.scheme}://{request.get_host()}"
        rendered = mail.render("cascade_item", sample(organization, base_url))
        return HttpResponse(rendered.html)


def sample(organization: Organization, base_url: str) -> dict[str, Any]:
    """The context of a sample item mail."""
    text = _("This is what a text you pass on looks like. Your own words stand beside the vendor's.")
    block = SimpleNamespace(block_type="rich_text", value=SimpleNamespace(content=f"<p>{text}</p>"))
    title = _("News for our partners")
    return {
        "organization": organization,
        "base_url": base_url,
        "effective": SimpleNamespace(
            title=title, subject=title, preview_text="", summary=_("One line that says why it matters."), body=[block]
        ),
        "slots": {"name": _("Alex Example"), "company": _("Example Systems Ltd")},
        "links": dict.fromkeys(("view", "act", "unsubscribe", "preferences", "why"), "#"),
        "action": SimpleNamespace(label=_("Acknowledge")),
        "due_at": None,
        "body_text": text,
    }
