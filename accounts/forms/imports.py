"""Forms of an import: the file, how to read it, what its columns mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from accounts import choices
from accounts.enums import ConsentBasis, RowOutcome
from accounts.imports.mapping import SEVERAL_COLUMNS
from accounts.imports.reading import DELIMITERS, ENCODINGS, HEADER_WITHIN, MAX_BYTES, Format
from accounts.imports.vocabulary import Field
from accounts.models import NetworkImport

BASES = [choice for choice in ConsentBasis.choices if choice[0] != ConsentBasis.MEMBERSHIP]


class UploadForm(forms.Form):
    """The file."""

    file = forms.FileField(
        label=_("File"),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
        error_messages={"empty": _("The file is empty.")},
    )

    def clean_file(self) -> Any:
        """Not larger than we read; the web server may have stopped it earlier."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(_("The file is larger than 20 MB. Split it and import the parts."))
        return file


class FormatForm(forms.Form):
    """How to read the file, where the detection was wrong."""

    encoding = forms.ChoiceField(label=_("Encoding"), choices=list(ENCODINGS.items()))
    delimiter = forms.ChoiceField(label=_("Columns are separated by"), choices=list(DELIMITERS.items()))
    sheet = forms.ChoiceField(label=_("Sheet"))
    header_row = forms.IntegerField(label=_("Row of the headings"), min_value=1, max_value=HEADER_WITHIN)

    def __init__(self, *args: Any, found: Format, **kwargs: Any) -> None:
        kwargs["initial"] = found.as_json()
        super().__init__(*args, **kwargs)
        if found.kind == "csv":
            del self.fields["sheet"]
        else:
            del self.fields["encoding"], self.fields["delimiter"]
            self.fields["sheet"].choices = [(name, name) for name in found.sheets]  # type: ignore[attr-defined]

    def wanted(self) -> dict[str, Any]:
        """Arguments of the verb."""
        return {name: self.cleaned_data.get(name, "") for name in ("encoding", "delimiter", "sheet", "header_row")}


@dataclass
class Column:
    """One column of the file with its select."""

    header: str
    samples: list[str]
    bound: BoundField


class MappingForm(forms.Form):
    """What each column means, the country of rows without one, and why these people may be mailed."""

    default_country = forms.ChoiceField(
        label=_("Country of rows without one"),
        required=False,
    )
    basis = forms.ChoiceField(
        label=_("Why you may mail these people"), choices=BASES, required=False, widget=forms.RadioSelect
    )
    basis_source = forms.CharField(
        label=_("Where this is recorded"),
        required=False,
        max_length=150,
        help_text=_("Such as: partner contracts 2026, CRM field “consent”. Kept with every person as evidence."),
    )

    def __init__(self, *args: Any, network_import: NetworkImport, **kwargs: Any) -> None:
        kwargs["initial"] = {
            "default_country": network_import.default_country,
            "basis": network_import.basis,
            "basis_source": network_import.basis_source,
        }
        super().__init__(*args, **kwargs)
        self.format = Format(**network_import.format)
        self.fields["basis"].required = Field.EMAIL in network_import.columns.values()
        self.fields["default_country"].choices = [  # type: ignore[attr-defined]
            ("", _("None: refuse such rows")),
            *choices.countries(),
        ]
        for index, header in enumerate(self.format.headers):
            self.fields[f"column_{index}"] = forms.ChoiceField(
                label=header,
                required=False,
                choices=[("", _("Leave out")), *Field.choices],
                initial=network_import.columns.get(header, ""),
                widget=forms.Select(attrs={"class": "input"}),
            )

    def columns(self) -> Iterator[Column]:
        """The columns in the order of the file."""
        for index, header in enumerate(self.format.headers):
            cells = [row[index] for row in self.format.sample if index < len(row)]
            samples = list(dict.fromkeys(cell for cell in cells if cell))[:3]
            yield Column(header, samples, self[f"column_{index}"])

    def meanings(self) -> dict[str, str]:
        """Header → field, as chosen."""
        pairs = ((h, self.cleaned_data.get(f"column_{i}", "")) for i, h in enumerate(self.format.headers))
        return {header: field for header, field in pairs if field}

    def clean(self) -> dict[str, Any]:
        """A company for every row, one column for one thing, a basis where people come."""
        cleaned = super().clean() or self.cleaned_data
        chosen = list(self.meanings().values())
        if Field.COMPANY not in chosen:
            raise forms.ValidationError(_("Choose the column that holds the company."))
        for field in Field:
            if chosen.count(field) > 1 and field not in SEVERAL_COLUMNS:
                raise forms.ValidationError(_("Two columns are “%(field)s”. Keep one.") % {"field": field.label})
        if Field.COUNTRY not in chosen and not cleaned.get("default_country"):
            self.add_error("default_country", _("The file has no column for the country. Choose one for all rows."))
        self.errors.pop("basis", None)
        if Field.EMAIL in chosen and not cleaned.get("basis"):
            self.add_error("basis", _("Say why these people may be mailed; without a basis nobody is."))
        return cleaned


class RowFilterForm(forms.Form):
    """Which rows of an import to show."""

    q = forms.CharField(label=_("Search the rows"), required=False, max_length=100)
    outcome = forms.ChoiceField(required=False, choices=[("", _("Every row")), *RowOutcome.choices], label=_("Outcome"))
    code = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
