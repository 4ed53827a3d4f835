"""Takes the pictures of README and docs from a running demo: ``make shots PORT=8000`` beside ``make demo``."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).with_name("images")
PASSWORD = "onward-demo"
VENDOR, DISTRIBUTOR, RESELLER = "mira@meridian.example", "anna@nordlicht.example", "robin@hansen-keller.example"
ITEM = "Meridian Edge 4"


def person(browser: Browser, base_url: str, email: str, width: int = 1280) -> Page:
    """A page of somebody who is signed in."""
    context = browser.new_context(base_url=base_url, viewport={"width": width, "height": 860}, device_scale_factor=1)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto("/account/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/account/login" not in url)
    return page


def shot(page: Page, name: str) -> None:
    """Store what the page shows now."""
    page.wait_for_timeout(800)  # frames and fonts
    page.screenshot(path=IMAGES / f"{name}.png")
    sys.stdout.write(f"{name}.png\n")


def as_distributor(page: Page) -> None:
    """The workspace, the editor and the results."""
    page.goto("/workspace/")
    shot(page, "workspace")
    page.goto("/workspace/?tab=sent")
    page.get_by_role("link", name=ITEM).first.click()
    page.wait_for_url("**/results/")
    shot(page, "results")
    page.get_by_role("link", name="Adapt", exact=True).click()
    page.wait_for_url("**/adapt/**")
    shot(page, "adapt")


def as_vendor(page: Page) -> None:
    """The funnel of a cascade."""
    page.goto("/admin/cascades/")
    page.get_by_role("link", name=ITEM).first.click()
    page.wait_for_url("**/admin/cascades/*/")
    shot(page, "funnel")


def as_reseller(page: Page) -> None:
    """What there is to do."""
    page.goto("/items/")
    shot(page, "to-do")


def as_recipient(page: Page) -> None:
    """The mail as it arrived."""
    page.goto("/mailbox/?q=Edge+4+replaces")
    page.locator("main table a").first.click()
    page.wait_for_url("**/mailbox/*/**")
    shot(page, "mail")


def main(base_url: str) -> None:
    """Take every picture."""
    IMAGES.mkdir(exist_ok=True)
    found: str | None = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        raise SystemExit("No Chromium found; name it: CHROMIUM=/path/to/it")
    walks: list[tuple[str, Callable[[Page], None]]] = [
        (DISTRIBUTOR, as_distributor),
        (VENDOR, as_vendor),
        (RESELLER, as_reseller),
        (DISTRIBUTOR, as_recipient),
    ]
    with sync_playwright() as playwright:
        options: dict[str, Any] = {"executable_path": found, "args": ["--no-sandbox", "--disable-gpu"]}
        browser = playwright.chromium.launch(**options)
        for email, walk in walks:
            walk(person(browser, base_url, email))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://localhost:8000")
