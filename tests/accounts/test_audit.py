"""The activity log speaks in words."""

import re
from pathlib import Path

from django.conf import settings

from accounts.models.audit import WORDS

RECORDED = re.compile(r'\brecord\(\s*"([a-z_]+\.[a-z_]+)"')


def test_every_recorded_act_has_words():
    sources = [path for app in ("accounts", "cms", "cascade") for path in (settings.BASE_DIR / app).rglob("*.py")]
    recorded = {name for path in sources for name in RECORDED.findall(Path(path).read_text())}
    assert len(recorded) > 15
    assert recorded - set(WORDS) == set()
