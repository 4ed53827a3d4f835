"""Mails: well-formed for any brand, and never taking people's words for markup."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup

from cms import mail

LINKS = {
    name: f"https://portal.example/{name}" for name in ("view", "act", "unsubscribe", "preferences", "why", "workspace")
}
POISON = "</mj-text><script>alert(1)</script>{{ slots.name }} & <b>bold</b>"


def block(kind: str, content: object) -> SimpleNamespace:
    return SimpleNamespace(block_type=kind, value=SimpleNamespace(content=content))


def context(organization, *, body=(), **changes):
    effective = SimpleNamespace(
        title="Four tiers", subject="New tiers", preview_text="What changes", summary="In short.", body=list(body)
    )
    due = datetime(2026, 12, 1, tzinfo=UTC)
    return {
        "organization": organization,
        "base_url": "https://portal.example",
        "effective": effective,
        "slots": {"name": "NAME", "company": "COMPANY"},
        "links": LINKS,
        "action": SimpleNamespace(label="Acknowledge"),
        "due_at": due,
        "body_text": "The body.",
        "cascade": SimpleNamespace(
            reason="Because", pass_on_by=due, due_at=due, get_goal_display="Acknowledged", is_mandatory=True
        ),
        **changes,
    }


@pytest.mark.parametrize("name", ["cascade_item", "cascade_notice"])
@pytest.mark.parametrize("full", [True, False], ids=["full brand", "empty brand"])
def test_render_gives_html_and_text_for_any_brand(name, full, distributor):
    brand = distributor.brand
    for field in ("sender_name", "reply_to", "postal_address", "legal_footer", "contact_name", "contact_phone"):
        setattr(brand, field, "Zurück & Söhne <GmbH>" if full else "")
    rendered = mail.render(name, context(distributor))
    assert rendered.subject in {"New tiers", "To pass on: Four tiers"}
    assert BeautifulSoup(rendered.html, "html.parser").find("title").text
    assert "fonts.googleapis" not in rendered.html
    assert LINKS["unsubscribe"] in rendered.html
    assert LINKS["unsubscribe"] in rendered.text
    assert ("Zurück & Söhne <GmbH>" in rendered.text) is full
    assert "<mj-" not in rendered.html


def test_render_puts_people_s_words_in_as_words(distributor):
    distributor.brand.legal_footer = POISON
    body = [
        block("heading", POISON),
        block("rich_text", f"<p>{POISON}</p>"),
        block("quote", SimpleNamespace(text=POISON, attribution=POISON)),
        block("button", SimpleNamespace(label=POISON, url="https://example.com")),
    ]
    rendered = mail.render("cascade_item", context(distributor, body=body))
    soup = BeautifulSoup(rendered.html, "html.parser")
    assert soup.find("script") is None
    assert "alert(1)" in soup.text  # shown where the words are plain text, dropped in rich text
    assert "{{ slots.name }}" in soup.text


def test_render_of_deeply_nested_rich_text_does_not_reach_mjml(distributor):
    nested = "<ul><li>" * 5000 + "x" + "</li></ul>" * 5000
    rendered = mail.render("cascade_item", context(distributor, body=[block("rich_text", nested)]))
    assert LINKS["unsubscribe"] in rendered.html


def test_mail_rich_text_keeps_formatting_and_refuses_foreign_schemes():
    html = mail.mail_rich_text(
        '<p onclick="x()">Hi <b>you</b> <a href="/content/a">here</a> <a href="javascript:x()">no</a></p><img src="x">',
        ink="#123456",
        base_url="https://portal.example",
    )
    soup = BeautifulSoup(html, "html.parser")
    assert [a.get("href") for a in soup.find_all("a")] == ["https://portal.example/content/a", None]
    assert soup.find("img") is None
    assert soup.find("p").get("onclick") is None
    assert "margin" in soup.find("p")["style"]


def test_render_of_a_broken_template_names_it(settings, tmp_path):
    folder = tmp_path / "emails"
    folder.mkdir()
    (folder / "broken.mjml").write_text("<mjml><mj-body><mj-section></mjml")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    with pytest.raises(mail.BadTemplate, match=r"emails/broken\.mjml"):
        mail.render_html("emails/broken.mjml", {"vendor_name": "Northwind"})
