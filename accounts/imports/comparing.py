"""What rows would change, compared with what their owner already has.

Only the owner's own network is looked at: whether a company or an address exists for somebody else makes no
difference to any plan, so no screen, count or download made from plans can tell.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from accounts.enums import ConsentBasis, LinkStatus, RowOutcome, SuppressionReason, SuppressionScope
from accounts.imports.mapping import LINK_FIELDS
from accounts.imports.problems import Finding
from accounts.models import Consent, Contact, ImportRow, NetworkLink, NetworkTag, Organization, Suppression
from accounts.models.people import address_hash

CHUNK = 300  # rows; lookups by three keys each stay below SQLite's 999 parameters
CONTACT_FIELDS = ("name", "function", "language")


def fit(number: str, domain: str, city: str, other: tuple[str, str, str]) -> int:
    """How well two companies of one country and name fit by customer number, domain and city; 0: they are two.

    "Müller GmbH" in Ulm and "Müller GmbH" in Kiel with domains of their own are two; so are two with their own
    customer numbers unless they share a domain (one company with two accounts).
    """
    other_number, other_domain, other_city = other
    same_domain = bool(domain) and domain == other_domain
    same_city = bool(city) and city.casefold() == other_city.casefold()
    if number and other_number:
        if number == other_number:
            return 8
        if not same_domain:
            return 0
    if domain and other_domain and city and other_city and not same_domain and not same_city:
        return 0
    return 1 + 4 * same_domain + 2 * same_city


@dataclass
class Plan:
    """What happens with one row: created, changed or left alone, or refused after all."""

    row: ImportRow
    link: NetworkLink | None = None
    contact: Contact | None = None
    creates_link: bool = False
    creates_contact: bool = False
    link_changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    contact_changes: dict[str, tuple[str, str]] = field(default_factory=dict)
    new_tags: list[str] = field(default_factory=list)
    needs_basis: bool = False
    problem: Finding | None = None
    notes: list[Finding] = field(default_factory=list)

    @property
    def outcome(self) -> RowOutcome:
        """The outcome the row gets."""
        if self.problem:
            return RowOutcome.REFUSED
        if self.creates_link or self.creates_contact:
            return RowOutcome.CREATED
        if self.link_changes or self.contact_changes or self.new_tags or self.needs_basis:
            return RowOutcome.CHANGED
        return RowOutcome.UNCHANGED

    def changes(self, basis: str) -> list[list[str]]:
        """[field, from, to] of everything that changes on rows that exist already."""
        changed = [[name, *pair] for name, pair in (self.link_changes | self.contact_changes).items()]
        if self.new_tags and not self.creates_link:
            changed.append(["tags", "", ", ".join(self.new_tags)])
        if self.needs_basis:
            changed.append(["basis", "", ConsentBasis(basis).value])
        return changed


class Comparison:
    """Compares rows chunk by chunk; remembers across chunks only which tags a company is about to get."""

    def __init__(self, owner: Organization) -> None:
        self.owner = owner
        self.pending_tags: dict[int, set[str]] = defaultdict(set)

    def plan(self, rows: Sequence[ImportRow], leaders: dict[int, ImportRow]) -> list[Plan]:
        """A plan for each of ``rows``; ``leaders`` has the first row of every company among them.

        Seven queries, however many rows.
        """
        links = self._links(leaders.values())
        contacts = self._contacts(rows)
        agreed = set(
            Consent.objects.filter(
                sender=self.owner, topic="", address__in={contact.address_id for contact in contacts.values()}
            ).values_list("address_id", flat=True)
        )
        refused_by = self._suppressions(rows)
        twins = self._twins([leaders[company] for company, link in links.items() if link is None])
        plans = []
        for row in rows:
            found = links[row.company]
            if isinstance(found, Finding):
                plans.append(Plan(row, problem=found))
                continue
            plan = Plan(row, link=found)
            self._plan_link(plan, found)
            if row.email:
                self._plan_contact(plan, contacts.get((found.downstream_id, row.email)) if found else None, agreed)
                if reason := refused_by.get(row.email):
                    told = reason == SuppressionReason.UNSUBSCRIBED
                    plan.notes.append(
                        Finding("unsubscribed") if told else Finding("suppressed", params={"reason": reason})
                    )
            if row.is_leader and (twin := twins.get(row.company)):
                plan.notes.append(Finding("same_domain", params={"value": twin}))
            plans.append(plan)
        return plans

    # --- companies ---
    def _links(self, leaders: Iterable[ImportRow]) -> dict[int, NetworkLink | Finding | None]:
        leaders = list(leaders)
        names = {leader.data["match_name"] for leader in leaders}
        numbers = {leader.data["customer_number"] for leader in leaders} - {""}
        candidates = list(
            NetworkLink.objects.filter(upstream=self.owner)
            .filter(Q(match_name__in=names) | Q(downstream__match_name__in=names) | Q(customer_number__in=numbers))
            .select_related("downstream")
            .prefetch_related("tags")
        )
        by_name: dict[tuple[str, str], dict[int, NetworkLink]] = defaultdict(dict)
        by_number: dict[tuple[str, str], list[NetworkLink]] = defaultdict(list)
        for link in candidates:
            country = link.downstream.country
            by_name[country, link.match_name][link.pk] = link
            by_name[country, link.downstream.match_name][link.pk] = link
            by_number[country, link.customer_number].append(link)
        return {
            leader.company: _choose(
                leader.data,
                list(by_name[leader.data["country"], leader.data["match_name"]].values()),
                by_number[leader.data["country"], leader.data["customer_number"]]
                if leader.data["customer_number"]
                else [],
            )
            for leader in leaders
        }

    def _plan_link(self, plan: Plan, link: NetworkLink | None) -> None:
        data, row = plan.row.data, plan.row
        if link is None:
            plan.creates_link = row.is_leader
        elif row.is_leader:
            if data["company"] != link.display_name:
                plan.link_changes["company"] = (link.display_name, data["company"])
            for name in LINK_FIELDS:
                value, current = data[name.value], getattr(link, name.value)
                if value and value != current:
                    plan.link_changes[name.value] = (current, value)
            if link.status in (LinkStatus.PAUSED, LinkStatus.ENDED):
                plan.notes.append(Finding(f"link_{link.status}"))
        has = {tag.name.casefold() for tag in link.tags.all()} if link else set()
        pending = self.pending_tags[row.company] if data["tags"] else has
        for tag in data["tags"]:
            if tag.casefold() not in has | pending:
                plan.new_tags.append(tag)
                pending.add(tag.casefold())

    def _twins(self, leaders: Sequence[ImportRow]) -> dict[int, str]:
        """Names in the owner's own network with the same country and e-mail domain as a new company."""
        wanted = {leader.data["domain"]: leader for leader in leaders if leader.data["domain"]}
        if not wanted:
            return {}
        known = NetworkLink.objects.filter(upstream=self.owner, match_domain__in=wanted).select_related("downstream")
        return {
            wanted[link.match_domain].company: link.display_name
            for link in known
            if link.downstream.country == wanted[link.match_domain].data["country"]
        }

    # --- people ---
    def _contacts(self, rows: Sequence[ImportRow]) -> dict[tuple[int, str], Contact]:
        emails = {row.email for row in rows} - {""}
        known = Contact.objects.filter(owner=self.owner, address__email__in=emails).select_related("address")
        return {(contact.organization_id, contact.address.email): contact for contact in known}

    def _plan_contact(self, plan: Plan, contact: Contact | None, agreed: set[int]) -> None:
        plan.contact = contact
        if contact is None:
            plan.creates_contact = True
            return
        for name in CONTACT_FIELDS:
            value, current = plan.row.data[name], getattr(contact, name)
            if value and value != current:
                plan.contact_changes[name] = (current, value)
        plan.needs_basis = contact.address_id not in agreed
        if not contact.is_active:
            plan.notes.append(Finding("contact_inactive"))

    def _suppressions(self, rows: Sequence[ImportRow]) -> dict[str, str]:
        """E-mail → reason, where a person refused mail of this very sender; what others were told stays theirs."""
        hashes = {address_hash(row.email): row.email for row in rows if row.email}
        known = Suppression.objects.filter(
            scope=SuppressionScope.SENDER, sender=self.owner, email_hash__in=hashes
        ).values_list("email_hash", "reason")
        return {hashes[email_hash]: reason for email_hash, reason in known}


def _choose(
    data: dict[str, Any], by_name: list[NetworkLink], by_number: list[NetworkLink]
) -> NetworkLink | Finding | None:
    """The link that a company's first row means: by customer number, else by name and what else fits."""
    if len(by_number) == 1:
        return by_number[0]
    scored = [
        (
            fit(
                data["customer_number"],
                data["domain"],
                data["city"],
                (link.customer_number, link.match_domain, link.city),
            ),
            link,
        )
        for link in (by_number or by_name)
    ]
    best = max((score for score, _link in scored), default=0)
    if not best:
        return None
    fitting = [link for score, link in scored if score == best]
    return fitting[0] if len(fitting) == 1 else Finding("ambiguous_company")


def existing_tags(owner: Organization, names: Iterable[str]) -> dict[str, NetworkTag]:
    """The owner's tags with these names (casefolded → tag), the missing ones created."""
    wanted = {name.casefold(): name for name in names}
    if not wanted:
        return {}
    known = {tag.name.casefold(): tag for tag in NetworkTag.objects.filter(owner=owner)}
    missing = [NetworkTag(owner=owner, name=name) for key, name in wanted.items() if key not in known]
    NetworkTag.objects.bulk_create(missing)
    return known | {tag.name.casefold(): tag for tag in missing}
