"""One form per zone of a page: the fields a distributor sees, and the raw value they amount to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import nh3
from django import forms
from django.utils.translation import gettext_lazy as _

from cms.media import usable_documents, usable_images

if TYPE_CHECKING:
    from collections.abc import Mapping

    from accounts.models import Organization
    from cms.effective import EffectiveZone

RICH_TAGS = {"p", "br", "b", "strong", "i", "em", "a", "ul", "ol", "li", "h3", "h4"}


def editable_html(html: str) -> str:
    """Stored rich text as it goes into the editor: the marks people see, without an editor's bookkeeping attributes."""
    return nh3.clean(html or "", tags=RICH_TAGS, attributes={"a": {"href", "linktype", "id"}}, link_rel=None)


class ZoneForm(forms.Form):
    """What may be entered for one zone. It offers no more than the zone's kind; what the zone allows, the verb decides.

    ``raw`` is the value for ``cms.adaptation.save_edit``; ``is_changed`` whether it differs from what was shown.
    """

    version = forms.IntegerField(widget=forms.HiddenInput, min_value=0, required=False)

    def __init__(
        self, shown: EffectiveZone, organization: Organization, number: int, data: Mapping[str, Any] | None = None
    ) -> None:
        self.shown = shown
        self.zone = shown.zone
        super().__init__(data, prefix=self.zone.key, auto_id=f"zone-{number}-%s", initial={"version": shown.version})
        if self.zone.is_droppable:
            self.fields["dropped"] = forms.BooleanField(
                required=False, initial=shown.is_dropped, label=_("Leave this out")
            )
        build = getattr(self, f"_build_{self.zone.kind}", None)
        if build:
            build(shown.value, organization)

    # --- fields by kind: nothing is required here, so that an emptied zone is refused in the verb's words -----------
    def _build_field(self, value: Any, organization: Organization) -> None:
        self._add("text", forms.CharField(label=self.zone.label), value)

    _build_heading = _build_field

    def _build_rich_text(self, value: Any, organization: Organization) -> None:
        area = forms.Textarea(attrs={"rows": 6, "data-rich-text": " ".join(self.zone.features)})
        if self.zone.max_length:
            area.attrs["data-limit"] = self.zone.max_length
        self._add("text", forms.CharField(label=self.zone.label, widget=area), editable_html(value), limit=None)

    def _build_button(self, value: Any, organization: Organization) -> None:
        self._add("label", forms.CharField(label=_("Words on the button")), (value or {}).get("label"), limit=60)
        self._add("url", forms.CharField(label=_("Leads to")), (value or {}).get("url"), limit=None)

    def _build_quote(self, value: Any, organization: Organization) -> None:
        area = forms.Textarea(attrs={"rows": 3})
        self._add("text", forms.CharField(label=_("Quote"), widget=area), (value or {}).get("text"), limit=1000)
        self._add("attribution", forms.CharField(label=_("Who said it")), (value or {}).get("attribution"), limit=120)

    def _build_image(self, value: Any, organization: Organization) -> None:
        current = (value or {}).get("image")
        choices = [(str(image.pk), image.title) for image in usable_images(organization).order_by("title")[:200]]
        self._add("image", forms.ChoiceField(label=_("Picture"), choices=_with_current(choices, current)), current)
        self._add("alt", forms.CharField(label=_("Description for who cannot see it")), (value or {}).get("alt"), 200)
        self._add("caption", forms.CharField(label=_("Caption")), (value or {}).get("caption"), limit=200)

    def _build_document(self, value: Any, organization: Organization) -> None:
        current = (value or {}).get("document")
        choices = [(str(file.pk), file.title) for file in usable_documents(organization).order_by("title")[:200]]
        self._add("document", forms.ChoiceField(label=_("File"), choices=_with_current(choices, current)), current)
        self._add("label", forms.CharField(label=_("Label")), (value or {}).get("label"), limit=120)

    def _add(self, name: str, field: forms.Field, value: Any, limit: int | None = -1) -> None:
        """``limit`` in characters; -1 takes the zone's own."""
        limit = self.zone.max_length if limit == -1 else limit
        field.required = False
        field.initial = "" if value is None else value
        if limit:
            field.widget.attrs["maxlength"] = limit
        self.fields[name] = field

    # --- what was entered -------------------------------------------------------------------------------------------
    @property
    def names(self) -> list[str]:
        """The fields that make up the value."""
        return [name for name in self.fields if name not in {"version", "dropped"}]

    @property
    def is_posted(self) -> bool:
        """Whether the data has anything for this zone."""
        return any(key.startswith(f"{self.prefix}-") for key in self.data)

    @property
    def dropped(self) -> bool:
        """Whether the zone is to be left out."""
        return bool(self.cleaned_data.get("dropped"))

    @property
    def seen_version(self) -> int:
        """The version the person saw."""
        return self.cleaned_data.get("version") or 0

    @property
    def raw(self) -> Any:
        """The entered value in the shape of the zone's kind. Call after ``is_valid``."""
        values = {name: self.cleaned_data.get(name, "") for name in self.names}
        return values["text"] if list(values) == ["text"] else values

    @property
    def is_changed(self) -> bool:
        """Whether anything differs from what the zone showed when it was last read."""
        if "dropped" in self.fields and self.dropped != self.shown.is_dropped:
            return True
        if self.dropped:
            return False
        return any(_same(self.cleaned_data.get(name)) != _same(self.fields[name].initial) for name in self.names)

    @property
    def value_fields(self) -> list[forms.BoundField]:
        """The bound fields of the value, for the template."""
        return [self[name] for name in self.names]


def _with_current(choices: list[tuple[str, str]], current: Any) -> list[tuple[str, Any]]:
    """``choices`` and, first, what is there now: the vendor's own picture is not among the organization's."""
    known = {key for key, _label in choices}
    return [(str(current or ""), _("As it is")), *choices] if str(current or "") not in known else list(choices)


def _same(value: Any) -> str:
    """``value`` without what a browser changes by itself."""
    return "" if value is None else str(value).replace("\r\n", "\n").strip()
