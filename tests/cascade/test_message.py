import random
from email.utils import getaddresses

import pytest

from cascade.message import (
    BadMessage,
    CompiledMessage,
    HeaderKind,
    HeaderLine,
    Part,
    Slots,
    ascii_address,
    mailbox,
)

SLOTS = Slots("0123456789abcdef")
VALUES = {
    "name": "Zoë Ångström",
    "company": "Müller & Söhne GmbH",
    "email": "zoe@mueller.example",
    "token": "AAAAAAAAACo_x-y",
    "mid": "42.abcdef@mail.example",
}
HOSTILE = [
    "B.V., Inc. <x@y>",
    ".",
    "..",
    "--=_boundary--",
    "From here",
    "{{ name }}",
    SLOTS["token"],
    "\u202egnp.exe",
    "😀" * 50,
    "x" * 10_000,
    "=3D=",
    "trailing space ",
    'quo"te \\ back',
    "=?utf-8?q?forged?=",
    "<script>alert(1)</script>",
]


def compile_message(**changes: str) -> CompiledMessage:
    headers = [
        HeaderLine("From", mailbox("Distributor B.V. via Vendor", "portal@mail.example"), HeaderKind.ADDRESS),
        HeaderLine("To", mailbox(SLOTS["name"], SLOTS["email"]), HeaderKind.ADDRESS),
        HeaderLine("Subject", changes.get("subject", f"News for {SLOTS['company']}")),
        HeaderLine("Message-ID", f"<{SLOTS['mid']}>", HeaderKind.RAW),
        HeaderLine("List-Unsubscribe", f"<https://p.example/u/{SLOTS['token']}/>", HeaderKind.RAW),
    ]
    return CompiledMessage(
        headers,
        text=changes.get("text", f"Dear {SLOTS['name']},\n\nnews for {SLOTS['company']}.\n.\nFrom us\n"),
        html=changes.get(
            "html", f'<p>Dear {SLOTS["name"]}</p><a href="https://p.example/r/{SLOTS["token"]}/">Go</a>\n'
        ),
        slots=SLOTS,
    )


def body(message, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return part.get_content().replace("\r\n", "\n")


def test_render_fills_headers_text_and_html():
    message = compile_message().parse(VALUES)

    assert message["From"] == '"Distributor B.V. via Vendor" <portal@mail.example>'
    assert message["To"].addresses[0].display_name == "Zoë Ångström"
    assert message["Subject"] == "News for Müller & Söhne GmbH"
    assert message["Message-ID"] == "<42.abcdef@mail.example>"
    assert body(message, "plain") == "Dear Zoë Ångström,\n\nnews for Müller & Söhne GmbH.\n.\nFrom us\n"
    assert body(message, "html") == ('<p>Dear Zoë Ångström</p><a href="https://p.example/r/AAAAAAAAACo_x-y/">Go</a>\n')


@pytest.mark.parametrize("hostile", HOSTILE)
def test_render_with_hostile_value_keeps_the_message_whole(hostile):
    compiled = compile_message()
    values = VALUES | {"name": hostile, "company": hostile}

    raw = compiled.render(values)
    message = compiled.parse(values)

    assert not message.defects
    assert all(len(line) <= 998 and not line.startswith(b".") for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert message.keys() == [
        "From", "To", "Subject", "Message-ID", "List-Unsubscribe", "MIME-Version", "Content-Type",
    ]  # fmt: skip
    assert getaddresses([str(message["To"])])[0][1] == "zoe@mueller.example"
    assert body(message, "plain") == f"Dear {hostile},\n\nnews for {hostile}.\n.\nFrom us\n"
    assert "<script>" not in body(message, "html")


@pytest.mark.parametrize("character", ["\r\n", "\n", "\r", "\0", "\u2028", "\x85"])
def test_render_with_control_character_in_header_is_refused(character):
    with pytest.raises(BadMessage):
        compile_message().render(VALUES | {"company": f"A{character}Bcc: x@y.example"})
    with pytest.raises(BadMessage):
        compile_message().render(VALUES | {"name": f"A{character}B"})
    with pytest.raises(BadMessage):
        compile_message().render(VALUES | {"token": f"a{character}b"})


def test_render_with_space_in_raw_header_value_is_refused():
    with pytest.raises(BadMessage):
        compile_message().render(VALUES | {"token": "a>, <mailto:x@y.example"})


def test_compile_with_line_feed_in_static_header_is_refused():
    with pytest.raises(BadMessage):
        compile_message(subject="News\nBcc: x@y.example")


def test_compile_with_header_twice_is_refused():
    headers = [HeaderLine("Subject", "A"), HeaderLine("subject", "B")]
    with pytest.raises(BadMessage):
        CompiledMessage(headers, text="", html="", slots=SLOTS)


def test_marker_written_with_another_nonce_stays_text():
    foreign = Slots("ffffffffffffffff")["token"]

    message = compile_message(text=f"See {foreign}").parse(VALUES)

    assert body(message, "plain").rstrip("\n") == f"See {foreign}"


def test_render_random_bodies_decodes_to_the_same_text():
    chance = random.Random(7)
    alphabet = "ab .=\n\tFrom é漢😀<&>-_\"'"
    for _ in range(300):
        text = "".join(chance.choices(alphabet, k=chance.randint(0, 300)))
        value = "".join(chance.choices(alphabet, k=chance.randint(0, 120)))
        compiled = CompiledMessage([], text=f"{text}{SLOTS['name']}{text}", html="<p></p>", slots=SLOTS)

        raw = compiled.render({"name": value})
        message = compiled.parse({"name": value})

        assert body(message, "plain") == f"{text}{value}{text}".rstrip("\n") + _line_ends(f"{text}{value}{text}")
        assert all(len(line) <= 76 and not line.startswith((b".", b"From ")) for line in raw.split(b"\r\n")[4:])


def _line_ends(text: str) -> str:
    return "\n" * (len(text) - len(text.rstrip("\n")))


def test_render_with_calendar_puts_it_last_and_attaches_the_file():
    calendar = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
    parts = [
        Part("text/calendar; method=REQUEST; charset=utf-8", calendar),
        Part("application/ics", calendar, filename="invite.ics"),
    ]

    message = compile_message().parse(VALUES, parts)

    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    assert [part.get_filename() for part in message.iter_attachments()] == ["invite.ics"]
    assert next(message.iter_attachments()).get_payload(decode=True) == calendar


@pytest.mark.parametrize(
    "part",
    [Part("text/plain\r\nX: y", b""), Part("text/calendar", b"", filename='a"\r\nX: y'), Part("nonsense", b"")],
)
def test_render_with_forged_part_is_refused(part):
    with pytest.raises(BadMessage):
        compile_message().render(VALUES, [part])


def test_render_with_missing_value_raises():
    with pytest.raises(KeyError):
        compile_message().render({"name": "A"})


def test_names_lists_the_values_needed():
    assert compile_message().names == {"name", "email", "company", "mid", "token"}


@pytest.mark.parametrize(
    ("email", "expected"),
    [("anna@müller.example", "anna@xn--mller-kva.example"), ("a.b+c@x.example", "a.b+c@x.example")],
)
def test_ascii_address_encodes_the_domain(email, expected):
    assert ascii_address(email) == expected


@pytest.mark.parametrize(
    "email", ["", "a", "a@", "@b", "jörg@x.example", "a b@x.example", "a@x>\r\nRCPT TO:<b@y", "<a@x.example>"]
)
def test_ascii_address_refuses_what_is_not_one_address(email):
    with pytest.raises(BadMessage):
        ascii_address(email)
