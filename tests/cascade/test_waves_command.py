from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from cascade.enums import WaveState
from cascade.freeze import freeze
from tests.cascade.sending import make_hop, make_wave

pytestmark = pytest.mark.django_db


@pytest.fixture
def wave(distributor):
    return freeze(make_wave(make_hop(organization=distributor, count=3)))


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("waves", *arguments, stdout=out)
    return out.getvalue()


def test_list_and_explain_say_where_a_wave_stands(wave, distributor):
    listed = run("list")
    assert f"{wave.pk}  frozen" in listed
    assert "0/3" in listed
    assert "outbox: empty" in listed

    explained = run("explain", str(wave.pk))
    assert "chunk 1: ready, 3 people in en" in explained
    assert str(distributor) in explained


def test_pause_resume_and_cancel_call_the_verbs(wave, distributor_manager):
    for verb, state in (("pause", WaveState.PAUSED), ("resume", WaveState.FROZEN), ("cancel", WaveState.CANCELLED)):
        run(verb, str(wave.pk), "--by", distributor_manager.email)
        wave.refresh_from_db()
        assert wave.state == state


def test_dry_run_changes_nothing(wave, distributor_manager):
    assert "would cancel" in run("cancel", str(wave.pk), "--by", distributor_manager.email, "--dry-run")

    wave.refresh_from_db()
    assert wave.state == WaveState.FROZEN


def test_stranger_nobody_and_unknown_wave_are_refused(wave, stranger):
    for arguments in (
        ("pause", str(wave.pk), "--by", stranger.email),
        ("pause", str(wave.pk), "--by", "nobody@x.example"),
        ("explain", "0"),
    ):
        with pytest.raises(CommandError):
            run(*arguments)
