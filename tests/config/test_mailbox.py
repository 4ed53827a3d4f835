"""The demo's mail server and its viewer."""

import asyncio
import smtplib
import threading
from email.message import EmailMessage

import pytest
from aiosmtpd.smtp import SMTP
from bs4 import BeautifulSoup
from django.test import override_settings
from django.urls import include, path

from config.checks import no_mailbox_in_production
from config.mailbox.server import Handler
from config.mailbox.store import Mailbox
from config.urls import urlpatterns as product

urlpatterns = [path("mailbox/", include("config.mailbox.urls")), *product]


def message(subject="New prices", to="anna@reseller.example", html="<p>Prices</p>"):
    mail = EmailMessage()
    mail["From"] = "Acme Distribution <portal@onward.example>"
    mail["To"] = to
    mail["Subject"] = subject
    mail.set_content("Prices\nhttps://portal.example/a")
    mail.add_alternative(html, subtype="html")
    return mail


@pytest.fixture
def mailbox(tmp_path):
    box = Mailbox(tmp_path / "mailbox")
    box.prepare()
    return box


@pytest.fixture
def smtp_port(mailbox):
    """The real server on a free port, in a thread."""
    loop, ports = asyncio.new_event_loop(), []
    is_up = threading.Event()

    async def listen():
        server = await loop.create_server(
            lambda: SMTP(Handler(mailbox), loop=loop, enable_SMTPUTF8=True), "127.0.0.1", 0
        )
        ports.append(server.sockets[0].getsockname()[1])
        is_up.set()
        return server

    def run():
        server = loop.run_until_complete(listen())
        loop.run_forever()
        server.close()
        loop.run_until_complete(server.wait_closed())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    assert is_up.wait(5)
    yield ports[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(5)


@pytest.fixture
def viewer(client, mailbox, settings, db):
    settings.ROOT_URLCONF = __name__
    settings.MAILBOX_DIR = mailbox.folder
    return client


# --- store --------------------------------------------------------------------------------------------------------


def test_deliver_when_called_keeps_the_source_under_the_envelope(mailbox):
    source = message().as_bytes()
    mailbox.deliver(source, "bounce@onward.example", ["anna@reseller.example"])
    [entry], total = mailbox.search()
    assert total == 1
    assert (entry.subject, entry.author) == ("New prices", "Acme Distribution <portal@onward.example>")
    assert (entry.sender, entry.recipients) == ("bounce@onward.example", "anna@reseller.example")
    envelope = b"Return-Path: <bounce@onward.example>\r\nDelivered-To: anna@reseller.example\r\n"
    assert mailbox.raw(entry) == envelope + source


def test_search_when_words_are_given_needs_all_of_them(mailbox):
    mailbox.deliver(message("New prices").as_bytes(), "a@b.example", ["anna@reseller.example"])
    mailbox.deliver(message("Reminder: 100% off").as_bytes(), "a@b.example", ["ben@reseller.example"])
    assert [entry.subject for entry in mailbox.search("PRICES anna")[0]] == ["New prices"]
    assert [entry.subject for entry in mailbox.search("100%")[0]] == ["Reminder: 100% off"]
    assert mailbox.search("prices ben") == ([], 0)


def test_prepare_when_the_index_was_lost_reads_the_messages_again(mailbox):
    mailbox.deliver(message("First").as_bytes(), "a@b.example", ["anna@reseller.example"])
    mailbox.deliver(message("Second").as_bytes(), "a@b.example", ["ben@reseller.example"])
    mailbox.index_path.unlink()
    mailbox.prepare()
    assert [entry.subject for entry in mailbox.search()[0]] == ["Second", "First"]
    assert mailbox.search()[0][0].recipients == "ben@reseller.example"


def test_search_when_nothing_was_ever_delivered_is_empty(tmp_path):
    assert Mailbox(tmp_path / "none").search() == ([], 0)


# --- server -------------------------------------------------------------------------------------------------------


def test_server_when_commands_are_pipelined_answers_each_in_order(mailbox, smtp_port):
    with smtplib.SMTP("127.0.0.1", smtp_port) as client:
        client.ehlo()
        assert client.has_extn("pipelining")
        envelope = b"MAIL FROM:<a@b.example>\r\nRCPT TO:<%s>\r\nDATA\r\n"
        client.sock.sendall(envelope % b"anna@reseller.example")
        assert [client.getreply()[0] for _ in range(3)] == [250, 250, 354]
        # RFC 2920: the dot and the next envelope may travel together
        client.sock.sendall(b"Subject: One\r\n\r\n..dot\r\n.\r\n" + envelope % b"ben@reseller.example")
        assert [client.getreply()[0] for _ in range(4)] == [250, 250, 250, 354]
        client.sock.sendall(b"Subject: Two\r\n\r\nbody\r\n.\r\n")
        assert client.getreply()[0] == 250
    entries, _total = mailbox.search()
    assert [(entry.subject, entry.recipients) for entry in entries] == [
        ("Two", "ben@reseller.example"),
        ("One", "anna@reseller.example"),
    ]
    assert mailbox.raw(entries[1]).endswith(b"\r\n\r\n.dot\r\n")


def test_server_when_the_disk_refuses_says_so_and_stays(mailbox, smtp_port, monkeypatch):
    def refuse(*args):
        raise OSError("no space left")

    monkeypatch.setattr(mailbox, "deliver", refuse)
    with smtplib.SMTP("127.0.0.1", smtp_port) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.send_message(message())
        assert refused.value.smtp_code == 452
        assert client.noop()[0] == 250


# --- viewer -------------------------------------------------------------------------------------------------------


def test_list_when_there_is_more_than_a_page_pages_newest_first(viewer, mailbox):
    for number in range(53):
        mailbox.deliver(message(f"Mail {number}").as_bytes(), "a@b.example", ["anna@reseller.example"])
    first = BeautifulSoup(viewer.get("/mailbox/").content, "html.parser")
    second = BeautifulSoup(viewer.get("/mailbox/?page=2").content, "html.parser")
    titles = [link.text for link in first.select(".row-title")]
    assert (len(titles), titles[0]) == (50, "Mail 52")
    assert [link.text for link in second.select(".row-title")] == ["Mail 2", "Mail 1", "Mail 0"]


def test_list_when_nothing_matches_says_so(viewer, mailbox):
    mailbox.deliver(message().as_bytes(), "a@b.example", ["anna@reseller.example"])
    page = viewer.get("/mailbox/?q=nobody").content.decode()
    assert "No message has all of these words" in page


def test_message_when_opened_shows_text_headers_and_source_escaped(viewer, mailbox):
    mail = message("<b>Prices</b>")
    mail.add_attachment(b"a,b", maintype="text", subtype="csv", filename="prices.csv")
    mailbox.deliver(mail.as_bytes(), "a@b.example", ["anna@reseller.example"])
    page = viewer.get("/mailbox/1/").content.decode()
    assert "&lt;b&gt;Prices&lt;/b&gt;" in page
    assert "<b>Prices</b>" not in page
    assert "Delivered-To" in page
    assert "prices.csv" in page


def test_message_html_when_framed_has_a_policy_of_its_own(viewer, mailbox):
    mail = message(html='<html><head></head><body><script>alert(1)</script><img src="cid:logo"></body></html>')
    mail.get_payload()[1].add_related(b"\x89PNG", "image", "png", cid="<logo>")
    mailbox.deliver(mail.as_bytes(), "a@b.example", ["anna@reseller.example"])
    response = viewer.get("/mailbox/1/html")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups allow-popups-to-escape-sandbox" in policy
    html = BeautifulSoup(response.content, "html.parser")
    assert html.head.base["target"] == "_blank"
    picture = viewer.get(html.img["src"])
    assert (picture.headers["Content-Type"], picture.content) == ("image/png", b"\x89PNG")


def test_part_when_it_is_html_is_downloaded_and_never_shown(viewer, mailbox):
    mail = message()
    mail.add_attachment(b"<script>alert(1)</script>", maintype="text", subtype="html", filename='evil".html')
    mailbox.deliver(mail.as_bytes(), "a@b.example", ["anna@reseller.example"])
    address = BeautifulSoup(viewer.get("/mailbox/1/").content, "html.parser").select_one(".plain-list a")["href"]
    response = viewer.get(address)
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize("address", ["/mailbox/9/", "/mailbox/9/html", "/mailbox/9/source", "/mailbox/1/part/99"])
def test_viewer_when_there_is_no_such_thing_answers_404(viewer, mailbox, address):
    mailbox.deliver(message().as_bytes(), "a@b.example", ["anna@reseller.example"])
    assert viewer.get(address).status_code == 404


# --- production ---------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_mailbox_when_not_enabled_is_not_routed(client):
    assert client.get("/mailbox/").status_code == 404


@pytest.mark.parametrize(
    ("deployment", "enabled", "errors"), [("production", True, ["onward.E001"]), ("demo", True, [])]
)
def test_check_when_the_mailbox_is_on_refuses_production_only(deployment, enabled, errors):
    with override_settings(DEPLOYMENT=deployment, MAILBOX_ENABLED=enabled):
        assert [error.id for error in no_mailbox_in_production()] == errors
