"""What can be wrong with a row, and what is worth knowing about it, as codes; the words are made when somebody reads.

Rows are checked by a worker and read later by several people, each in their own language.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.enums import SuppressionReason


@dataclass(frozen=True)
class Finding:
    """One problem or note: a code of ``PROBLEMS`` or ``NOTES``, the column's header ("" for the row), parameters."""

    code: str
    column: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> list[Any]:
        """The form in which ImportRow keeps it."""
        return [self.code, self.column, self.params]

    @classmethod
    def from_json(cls, stored: list[Any]) -> Finding:
        """The finding that ``as_json`` wrote."""
        return cls(*stored)

    @property
    def text(self) -> str:
        """What a person reads, in the active language."""
        params = dict(self.params)
        if "reason" in params:
            params["reason"] = SuppressionReason(params["reason"]).label
        words = str(PROBLEMS.get(self.code) or NOTES[self.code]) % params
        return f"{self.column}: {words}" if self.column else words


# The row is refused; the rest of the file goes on.
PROBLEMS: dict[str, str | Promise] = {
    "truncated_quote": _("A quotation mark opens and never closes; the row is cut off."),
    "broken_quote": _("The quotation marks do not match."),
    "short_row": _("The row has %(cells)d cells where the header has %(columns)d."),
    "long_row": _("The row has %(cells)d cells where the header has %(columns)d."),
    "nul": _("The cell contains a NUL character; the file was damaged on its way."),
    "mojibake": _("Characters could not be read; the cell is in another encoding than the file."),
    "control": _("The cell contains control characters."),
    "formula": _("The cell begins with “=” and could run as a formula."),
    "cell_error": _("The cell holds a spreadsheet error (%(value)s)."),
    "overlong": _("The text has %(length)d characters; %(limit)d are possible."),
    "no_company": _("No company name."),
    "no_country": _("No country."),
    "unknown_country": _("“%(value)s” is not a country we know; use its name or two-letter code."),
    "unknown_language": _("“%(value)s” is not a language we know; use its name or a code such as “de”."),
    "email_empty": _("No e-mail address for “%(value)s”; add one, or leave the person out to keep the company."),
    "email_control": _("The address contains a line break or control characters."),
    "email_several": _("More than one e-mail address in the cell; give each its own row."),
    "email_local_part": _("The part before the @ may only use ASCII letters; most mail servers refuse others."),
    "email_domain": _("“%(value)s” has no valid domain after the @."),
    "email_too_long": _("The address is longer than 254 characters."),
    "email_invalid": _("“%(value)s” is not an e-mail address."),
    "duplicate": _("The same person at the same company as in row %(row)d; the first row counts."),
    "duplicate_company": _("The same company as in row %(row)d, without anything new; the first row counts."),
    "ambiguous_company": _("Several resellers of your network have this name; add the customer number."),
}

# The row is taken; this is good to know.
NOTES: dict[str, str | Promise] = {
    "differs": _("“%(value)s” differs from row %(row)d, whose value counts for the company."),
    "unknown_function": _("“%(value)s” is not a function we know; “Other” is used."),
    "starts_like_formula": _("The text begins with “%(value)s”; downloads put an apostrophe before it."),
    "markup": _("The text looks like HTML; it is kept and shown as text."),
    "unsubscribed": _("Will not be mailed: unsubscribed from you."),
    "suppressed": _("Will not be mailed: suppressed for you (%(reason)s)."),
    "link_paused": _("Your relation with this reseller is paused and stays paused."),
    "link_ended": _("Your relation with this reseller has ended; the import does not revive it."),
    "contact_inactive": _("This contact is switched off and stays off."),
    "same_domain": _("Has the e-mail domain of “%(value)s” in your network; is it the same reseller?"),
}


def merge_counts(counts: dict[str, int], findings: list[list[Any]]) -> None:
    """Add the codes of stored ``findings`` to ``counts``."""
    for code, _column, _params in findings:
        counts[code] = counts.get(code, 0) + 1
