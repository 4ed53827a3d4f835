"""Write a checked import into the network, chunk by chunk, each exactly once.

Every chunk is compared again with what the network holds by now, so writing after somebody else's import, after a
crash or for a second time adds only what is missing. The position moves in the same transaction as the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone

from accounts.enums import Function, ImportState, LinkStatus, RowOutcome
from accounts.identity import Identity, obtain_resellers
from accounts.imports.checking import count, settle, stored_leaders
from accounts.imports.comparing import CHUNK, CONTACT_FIELDS, Comparison, Plan, existing_tags
from accounts.imports.leases import chunk, keep
from accounts.imports.mapping import LINK_FIELDS
from accounts.models import (
    Address,
    Consent,
    Contact,
    ImportRow,
    NetworkImport,
    NetworkLink,
    Organization,
    Person,
)
from accounts.models.people import address_hash
from accounts.names import normalize_company

WRITTEN = (RowOutcome.CREATED, RowOutcome.CHANGED)


def write(leased: NetworkImport) -> None:
    """Write what is left of a leased, confirmed import. Raises LeaseLost."""
    comparison = Comparison(leased.owner)
    while rows := list(leased.rows.filter(number__gt=leased.rows_done, outcome__in=WRITTEN).order_by("number")[:CHUNK]):
        report = leased.report
        written = report.setdefault("written", {})
        with chunk(leased):
            # One import at a time writes into a network; another one waits for this chunk and then compares.
            Organization.objects.select_for_update().get(pk=leased.owner_id)
            leaders = stored_leaders(leased, {row.company for row in rows})
            plans = comparison.plan(rows, leaders)
            apply(leased, plans, leaders)
            moved = _settle_again(plans, leased.basis)
            count(written, (plan.row for plan in plans))
            for before, after in moved:
                report[before] -= 1
                report[after] = report.get(after, 0) + 1
            keep(leased, rows_done=rows[-1].number, report=report)
    keep(leased, state=ImportState.DONE, finished_at=timezone.now(), lease_until=None, rows_done=leased.rows_total)


def _settle_again(plans: Sequence[Plan], basis: str) -> list[tuple[str, str]]:
    """Bring rows up to date whose outcome is another one than the dry run said; returns (before, after)."""
    moved = []
    for plan in plans:
        before = plan.row.outcome
        plan.notes = []  # the notes of the dry run stand
        settle(plan, basis)
        if plan.row.outcome != before:
            plan.row.save(update_fields=["outcome", "changes", "problems", "notes", "data"])
            moved.append((before, plan.row.outcome))
    return moved


def apply(source: NetworkImport, plans: Sequence[Plan], leaders: dict[int, ImportRow]) -> None:
    """Write ``plans`` with a constant number of statements. Call it in a transaction."""
    plans = [plan for plan in plans if not plan.problem]
    owner = source.owner
    _change_links(plans)
    links = _new_links(owner, [leaders[number] for number in sorted({p.row.company for p in plans if not p.link})])
    for plan in plans:
        plan.link = plan.link or links[plan.row.company]
    _write_tags(owner, plans)
    addresses = _write_addresses({plan.row.email for plan in plans} - {""})
    _write_contacts(owner, [plan for plan in plans if plan.row.email], addresses)
    source_name = f"{source.filename} · {source.basis_source}" if source.basis_source else source.filename
    Consent.objects.bulk_create(
        (
            Consent(
                address=addresses[plan.row.email],
                sender=owner,
                basis=source.basis,
                source=source_name[:200],
                by=source.uploaded_by,
            )
            for plan in plans
            if plan.creates_contact or plan.needs_basis
        ),
        ignore_conflicts=True,  # an earlier basis stands
    )


def _change_links(plans: Sequence[Plan]) -> None:
    changed = []
    for plan in plans:
        if plan.link and plan.link_changes:
            for name, (_old, value) in plan.link_changes.items():
                setattr(plan.link, "name_as_known" if name == "company" else name, value)
            plan.link.match_name = normalize_company(plan.link.display_name)
            plan.link.match_domain = plan.link.match_domain or plan.row.data["domain"]
            changed.append(plan.link)
    fields = ["name_as_known", *(name.value for name in LINK_FIELDS), "match_name", "match_domain"]
    NetworkLink.objects.bulk_update(changed, fields, batch_size=50)


def _new_links(owner: Organization, leaders: Sequence[ImportRow]) -> dict[int, NetworkLink]:
    """Links of the companies that are new to the owner, by the company's number in the file."""
    resellers = obtain_resellers([_identity(row) for row in leaders])
    NetworkLink.objects.bulk_create(
        (_new_link(owner, reseller, row) for reseller, row in zip(resellers, leaders, strict=True)),
        ignore_conflicts=True,
    )
    ids = {reseller.pk for reseller in resellers}
    links = NetworkLink.objects.filter(upstream=owner, downstream__in=ids).select_related("downstream")
    by_reseller = {link.downstream_id: link for link in links}
    return {row.company: by_reseller[reseller.pk] for reseller, row in zip(resellers, leaders, strict=True)}


def _identity(row: ImportRow) -> Identity:
    data = row.data
    return Identity(data["country"], data["company"], data["domain"], data["language"])


def _new_link(owner: Organization, reseller: Organization, row: ImportRow) -> NetworkLink:
    data = row.data
    return NetworkLink(
        upstream=owner,
        downstream=reseller,
        status=LinkStatus.ACTIVE,
        name_as_known=data["company"],
        match_name=data["match_name"],
        match_domain=data["domain"],
        **{name.value: data[name.value] for name in LINK_FIELDS},
    )


def _write_tags(owner: Organization, plans: Sequence[Plan]) -> None:
    wanted = [(plan.link, tag) for plan in plans for tag in plan.new_tags]
    tags = existing_tags(owner, (tag for _link, tag in wanted))
    through: Any = NetworkLink.tags.through
    through.objects.bulk_create(
        (through(networklink_id=link.pk, networktag_id=tags[tag.casefold()].pk) for link, tag in wanted if link),
        ignore_conflicts=True,
    )


def _write_addresses(emails: Iterable[str]) -> dict[str, Address]:
    """The address of each normalized e-mail; a new one gets a person of its own, who chooses name and language."""
    emails = sorted(emails)  # one order everywhere: two imports that meet wait for each other and never deadlock
    known = {address.email: address for address in Address.objects.filter(email__in=emails)}
    missing = [email for email in emails if email not in known]
    people = Person.objects.bulk_create(Person() for _email in missing)
    Address.objects.bulk_create(
        (
            Address(email=email, email_hash=address_hash(email), person=person)
            for email, person in zip(missing, people, strict=True)
        ),
        ignore_conflicts=True,
    )
    known |= {address.email: address for address in Address.objects.filter(email__in=missing)}
    used = {known[email].person_id for email in missing}
    if idle := [person.pk for person in people if person.pk not in used]:
        Person.objects.filter(pk__in=idle).delete()  # another network's import came first with these addresses
    return known


def _write_contacts(owner: Organization, plans: Sequence[Plan], addresses: dict[str, Address]) -> None:
    changed = []
    for plan in plans:
        if plan.contact and plan.contact_changes:
            for name, (_old, value) in plan.contact_changes.items():
                setattr(plan.contact, name, value)
            changed.append(plan.contact)
    Contact.objects.bulk_update(changed, CONTACT_FIELDS, batch_size=100)
    Contact.objects.bulk_create(
        (
            Contact(
                owner=owner,
                organization_id=plan.link.downstream_id,
                address=addresses[plan.row.email],
                name=plan.row.data["name"],
                function=plan.row.data["function"] or Function.OTHER,
                language=plan.row.data["language"],
            )
            for plan in plans
            if plan.creates_contact and plan.link
        ),
        ignore_conflicts=True,
    )
