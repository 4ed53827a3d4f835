"""The contracts of the repository: what holds for every file, template and address."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).parents[2]
TEMPLATES = [path for path in (ROOT / "templates").rglob("*.html") if "emails" not in path.parts]
VIEWS = [path for path in ROOT.glob("*/**/*views*.py") if not {".venv", "tests"} & set(path.relative_to(ROOT).parts)]
INLINE = re.compile(
    r"""\sstyle\s*=|<style\b|<script\b(?![^>]*\bsrc\b)(?![^>]*application/json)|\son[a-z]+\s*=\s*["']|javascript:"""
)
MACHINE_PATHS = re.compile(r"/(?:root|home/\w+|Users/\w+)/|/tmp/wt\b")


def tracked(*patterns: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.splitlines()]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "") -> list[str]:
    """Addresses without a parameter."""
    found = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if not str(pattern.pattern).startswith(("admin/", "^admin")):
                found += addresses(pattern.url_patterns, prefix + str(pattern.pattern))
        elif not re.search(r"[<(\\]", str(pattern.pattern)):
            found.append(f"/{prefix}{pattern.pattern}".replace("^", "").replace("$", ""))
    return found


# --- layers, migrations -------------------------------------------------------------------------------------------


def test_layers_are_kept():
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.django_db
def test_migrations_are_complete():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


# --- templates and views ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=relative)
def test_template_has_nothing_inline(path):
    """The content security policy would silently drop it; mails are another matter."""
    lines = path.read_text().splitlines()
    assert [f"{number}: {line.strip()}" for number, line in enumerate(lines, 1) if INLINE.search(line)] == []


@pytest.mark.parametrize(
    "line",
    ['<p style="x">', "<style>", "<script>x()</script>", '<a onclick="x()">', '<a href="javascript:x()">'],
)
def test_inline_pattern_finds_what_it_should(line):
    assert INLINE.search(line)


@pytest.mark.parametrize("line", ['<script src="x.js" defer></script>', '<i data-style="x">', '<p class="one">'])
def test_inline_pattern_leaves_the_rest(line):
    assert not INLINE.search(line)


@pytest.mark.parametrize("path", VIEWS, ids=relative)
def test_views_start_at_what_the_person_may_see(path):
    assert not re.search(r"\.objects\.all\(\)", path.read_text()), "start at visible_to(user)"


def test_every_plain_address_answers_with_the_strict_policy(client, vendor):
    """Anonymous people get a page, a redirect or a refusal; no error, and no script that is not a file of ours."""
    wrong = {}
    for address in addresses(get_resolver().url_patterns):
        response = client.get(address)
        policy = response.headers.get("Content-Security-Policy", "")
        if response.status_code >= 500 or not re.search(r"script-src 'self'(;|$)", policy):
            wrong[address] = (response.status_code, policy)
    assert wrong == {}


# --- repository ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_pins_by_hash_and_names_no_host(name):
    lock = (ROOT / name).read_text()
    assert "://" not in lock
    assert not re.search(r"^\s*--(?!hash)", lock, re.MULTILINE)
    entries = re.split(r"\n(?=\S)", lock.strip())
    assert [entry.split("\\")[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []


def test_locks_agree_with_each_other():
    def pins(name):
        return dict(re.findall(r"^([a-z0-9._-]+(?:\[[a-z,]+\])?)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))

    run, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: (version, dev.get(name)) for name, version in run.items() if dev.get(name) != version} == {}


def test_help_lists_every_target():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE).group(1).split())
    command = ["make", "--no-print-directory", "help"]  # run by make itself it would say which folder it enters
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert {line.split()[1] for line in shown.splitlines()} == targets
    assert {"demo", "dev", "test", "lint", "bench", "lock"} <= targets


def test_no_file_names_a_folder_of_somebodys_machine():
    texts = tracked("*.py", "*.md", "*.html", "*.toml", "*.sh", "*.yaml", "Makefile", ".ci/*")
    named = [relative(path) for path in texts if path != Path(__file__) and MACHINE_PATHS.search(path.read_text())]
    assert named == []
