"""The first cascade as its people walk it: write and release, adapt and send, read and acknowledge, see it land."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from config.seed import PASSWORD, RESELLER_EMAIL
from tests.journeys.conftest import RunningStack, wait_until

TITLE = "Console 13: three things change"
SUBJECT = "Console 13 for your customers"
OWN_WORDS = "Our Hamburg desk answers until eight."
PATIENCE = 60_000  # milliseconds; a loaded machine with two cores is slow, not broken


def sign_in(page: Page, email: str) -> Page:
    page.set_default_timeout(PATIENCE)
    page.goto("/account/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/account/login" not in url)
    return page


def add_zone(page: Page, kind: str) -> None:
    page.locator("[id*=panel-child-content-body]").first.locator(".c-sf-add-button").last.click()
    page.get_by_role("option", name=kind, exact=True).click()


def links_in(stack: RunningStack, recipient: str) -> dict[str, str]:
    """The addresses in the text part of the mail to ``recipient``, by the words before them."""
    [entry] = [entry for entry in stack.mailbox.search(SUBJECT, limit=10_000)[0] if recipient in entry.recipients]
    message = stack.mailbox.message(entry)
    text = message.get_body(("plain",)).get_content()
    assert OWN_WORDS in text
    found = {kind: url for url, kind in re.findall(rf"({re.escape(stack.base_url)}/m/([a-z])/[\w-]+/)", text)}
    assert set(found) == {"v", "a", "w", "u", "p"}
    return found | {"one-click": re.search(r"<(http[^>]+)>", str(message["List-Unsubscribe"]))[1]}


def found_in_admin(page: Page, title: str) -> str:
    """The id of the page called ``title``, found as an editor finds it."""
    page.goto(f"/admin/pages/search/?q={title.split(':')[0]}")
    page.get_by_role("link", name=title, exact=True).first.click()
    page.wait_for_url(re.compile(r"/admin/pages/\d+/edit/"))
    return re.search(r"/pages/(\d+)/", page.url)[1]


def written_and_released(page: Page) -> str:
    """Write the announcement, publish it, release it to Nordlicht and Vexis. Returns the address of the cascade."""
    folder = found_in_admin(page, "News")
    page.goto(f"/admin/pages/add/cascade/announcementpage/{folder}/")
    page.locator("#id_title").fill(TITLE)
    page.locator("#id_summary").fill("Licenses, sign-in and reports work differently from May.")
    page.locator("#id_job").select_option("communicate")
    add_zone(page, "Heading")
    page.locator("[name=body-0-value-content]").fill("What changes")
    add_zone(page, "Text")
    policy = page.locator("section.w-panel").filter(has=page.locator("[name=body-1-value-editable]")).last
    policy.locator("[data-panel-toggle]").first.click()
    page.locator("[name=body-1-value-editable]").select_option("open")
    page.locator(".public-DraftEditor-content").last.click()
    page.keyboard.type("Your distributor tells you more.")
    page.locator("#id_subject").fill(SUBJECT)
    page.wait_for_url(re.compile(r"/admin/pages/\d+/edit/$"))  # saved by itself; publishing at that moment races it
    page.locator("footer .w-dropdown__toggle, footer [data-w-dropdown-target=toggle]").first.click()
    page.get_by_role("button", name="Publish").click()
    page.wait_for_url(re.compile(rf"/admin/pages/{folder}/$"))

    item = found_in_admin(page, TITLE)
    page.goto(f"/admin/cascades/new/?page={item}")
    page.get_by_label("Why it matters").fill("Customers will ask from May.")
    page.get_by_label("Chosen distributors").check()
    for name in ("Nordlicht", "Vexis"):
        page.locator("label", has_text=name).click()
    page.get_by_role("button", name="Save and review").click()
    page.wait_for_url("**/review/")
    page.get_by_role("button", name="Release to 2 distributors").click()
    page.wait_for_url(re.compile(r"/admin/cascades/\d+/$"))
    return page.url


def accepted_and_adapted(page: Page) -> str:
    """Accept from the inbox and put own words in. Returns the address of the hop."""
    page.goto("/workspace/")
    card = page.locator("article", has_text=TITLE)
    expect(card).to_contain_text("Customers will ask from May.")
    card.get_by_role("button", name="Accept").click()
    page.wait_for_url(re.compile(r"/workspace/\d+/adapt/"))
    hop = re.search(r"/workspace/\d+/", page.url)[0]
    expect(page.locator(".zone-locked").filter(has_text="What changes")).to_contain_text("Locked")
    editor = page.locator("form#zones [contenteditable=true]").last
    editor.click()
    page.keyboard.press("Control+A")
    page.keyboard.type(OWN_WORDS)
    expect(page.locator("#save-state")).to_contain_text("Saved")
    preview = page.frame_locator("#preview iframe").first
    expect(preview.get_by_text(OWN_WORDS)).to_be_visible()
    return hop


def sent_to_everybody(page: Page, hop: str, stack: RunningStack) -> int:
    """Test to oneself, take one sending back, send again and wait for the end. Returns the number of people."""
    page.goto(f"{hop}audience/")
    page.get_by_role("link", name="Next: review and send").or_(
        page.get_by_role("button", name="Next: review and send")
    ).click()
    page.wait_for_url("**/send/")
    page.get_by_role("button", name="Send me a test").click()
    stack.wait_for_mail("anna@nordlicht.example Console 13", seconds=60)
    send = page.locator("[data-send-button]")
    people = int(re.search(r"([\d,]+) people", send.inner_text())[1].replace(",", ""))
    send.click()
    page.wait_for_url("**/results/")
    page.get_by_role("button", name="Undo").click()
    page.wait_for_load_state()
    page.goto(f"{hop}send/")
    page.locator("[data-send-button]").click()
    page.wait_for_url("**/results/")
    expect(page.locator(".live")).to_have_count(0, timeout=240_000)
    expect(page.locator("main")).to_contain_text(f"{people:,}")
    return people


@pytest.mark.timeout(900)
def test_first_cascade_when_everybody_does_their_part_lands_and_is_seen(
    running_stack: RunningStack, new_page: Any
) -> None:
    vendor = sign_in(new_page(), "mira@meridian.example")
    cascade = written_and_released(vendor)
    notice = running_stack.wait_for_mail("To pass on Console 13 anna@nordlicht.example")
    assert len(notice) == 1

    anna = sign_in(new_page(), "anna@nordlicht.example")
    hop = accepted_and_adapted(anna)
    people = sent_to_everybody(anna, hop, running_stack)

    # Everybody got exactly one message.
    def arrived() -> Counter[str]:
        entries, _total = running_stack.mailbox.search(SUBJECT, limit=10_000)
        return Counter(entry.recipients for entry in entries if not entry.subject.startswith("["))

    wait_until(lambda: len(arrived()) >= people, 60, "the last message")
    counts = arrived()
    to_others = {address: count for address, count in counts.items() if "anna@nordlicht" not in address}
    assert set(to_others.values()) == {1}
    assert len(to_others) == people

    # A recipient who never signed in: read, acknowledge, ask why, unsubscribe; on a phone.
    address = next(iter(sorted(a for a in to_others if RESELLER_EMAIL not in a)))
    links = links_in(running_stack, address)
    phone = new_page(width=390, height=800)
    phone.set_default_timeout(PATIENCE)
    phone.goto(links["v"])
    expect(phone.get_by_role("heading", name=TITLE)).to_be_visible()
    expect(phone.get_by_text(OWN_WORDS)).to_be_visible()
    phone.goto(links["a"])
    phone.get_by_role("button", name="Acknowledge").click()
    expect(phone.get_by_text("Acknowledged").first).to_be_visible()
    phone.goto(links["w"])
    expect(phone.locator("main")).to_contain_text("Nordlicht")
    assert phone.request.post(links["one-click"], form={"List-Unsubscribe": "One-Click"}).status == 200
    phone.goto(links["u"])
    expect(phone.get_by_role("button", name="Subscribe again").first).to_be_visible()

    # A reseller who signs in.
    robin = sign_in(new_page(width=390, height=800), RESELLER_EMAIL)
    robin.goto("/items/")
    robin.get_by_role("link", name=TITLE).first.click()
    robin.wait_for_url(re.compile(r"/items/\d+/"))
    expect(robin.get_by_text(OWN_WORDS)).to_be_visible()
    robin.get_by_role("button", name="Acknowledge").click()
    expect(robin.get_by_text("Acknowledged").first).to_be_visible()

    # Both sides see it land; the other distributor sees nothing of it.
    anna.goto(f"{hop}results/")
    expect(anna.locator("main")).to_contain_text(re.compile(r"of 190 resellers done\s*2\b"))
    vendor.goto(cascade)
    expect(vendor.locator("main")).to_contain_text("Nordlicht")
    export = vendor.request.get(f"{cascade}?export=csv")
    rows = list(csv.DictReader(io.StringIO(export.text().lstrip("\ufeff"))))
    [nordlicht] = [row for row in rows if "Nordlicht" in str(row.values())]
    assert str(people) in nordlicht.values()
    sanne = sign_in(new_page(), "sanne@vexis.example")
    sanne.goto(hop)
    expect(sanne.get_by_text("Nordlicht")).to_have_count(0)
    sanne.goto("/workspace/")
    expect(sanne.locator("article", has_text=TITLE)).to_contain_text("Offered")
