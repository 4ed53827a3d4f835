"""The product runs as one: reachable, mailing, and back on its feet after a kill."""

import smtplib
from email.message import EmailMessage

from tests.journeys.conftest import wait_until


def send(running_stack, subject):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@onward.example", "b@onward.example", subject
    mail.set_content("Hello")
    with smtplib.SMTP("127.0.0.1", int(running_stack.environment["MAIL_PORT"])) as client:
        client.send_message(mail)


def test_stack_when_started_takes_mail_and_shows_it(running_stack, page):
    send(running_stack, "Hello from a journey")
    [entry] = running_stack.wait_for_mail("Hello journey")
    assert entry.recipients == "b@onward.example"
    page.goto("/mailbox/")
    page.get_by_role("searchbox").first.fill("journey")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Hello from a journey").click()
    page.get_by_role("tab", name="Text").click()
    assert page.locator("#text").inner_text().strip() == "Hello"


def test_stack_when_a_process_is_killed_runs_again(running_stack):
    ready = running_stack.var_dir / "run" / "worker.ready"
    ready.unlink()
    running_stack.kill("worker")
    wait_until(ready.exists, 60, "a new worker")
    running_stack.kill("mailbox")
    wait_until(lambda: is_mailing(running_stack), 20, "a new mailbox")
    assert len(running_stack.wait_for_mail("After the kill")) >= 1


def is_mailing(running_stack) -> bool:
    try:
        send(running_stack, "After the kill")
    except OSError:
        return False
    return True
