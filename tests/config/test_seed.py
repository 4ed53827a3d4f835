"""The demo's world: whole, repeatable, and made of the files that are committed."""

from __future__ import annotations

import pytest

from accounts.models import Contact, NetworkLink, Organization, User
from cascade.enums import HopState, WaveState
from cascade.models import Cascade, Hop, Wave
from config import seed
from config.seed import generate


@pytest.mark.django_db(transaction=True)
def test_seed_makes_the_world_once():
    said: list[str] = []
    seed.seed(said.append, patience=0)
    seed.seed(said.append, patience=0)
    assert Organization.objects.distributors().count() == 6
    assert Cascade.objects.live().count() == 3
    assert Hop.objects.filter(state=HopState.DECLINED).count() == 1
    assert Wave.objects.filter(hop__organization__slug="nordlicht", state=WaveState.SCHEDULED).count() == 1
    assert Contact.objects.filter(owner__slug="nordlicht").count() > 500
    shared = NetworkLink.objects.filter(upstream__slug="nordlicht").values("downstream_id")
    assert NetworkLink.objects.filter(upstream__slug="vexis", downstream__in=shared).count() > 30
    assert len(said) == 10
    for sign_in in seed.SIGN_INS:
        assert User.objects.get(email=sign_in.email).check_password(sign_in.password)


def test_generate_writes_the_committed_files(tmp_path, monkeypatch):
    committed = generate.FILES
    monkeypatch.setattr(generate, "FILES", tmp_path)
    generate.main()
    names = {path.name for path in committed.iterdir()}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in names - {"pacifica.xlsx"}:  # a workbook carries the time it was written
        assert (tmp_path / name).read_bytes() == (committed / name).read_bytes()
