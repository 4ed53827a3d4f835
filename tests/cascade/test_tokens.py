import pytest

from cascade import tokens
from cascade.tokens import Purpose


@pytest.mark.parametrize("purpose", Purpose)
def test_read_returns_the_delivery_for_its_own_purpose_only(purpose):
    token = tokens.make(42, purpose)

    assert tokens.read(token, purpose) == 42
    assert [tokens.read(token, other) for other in Purpose if other != purpose] == [None] * (len(Purpose) - 1)


def test_make_is_url_safe_and_always_the_same():
    token = tokens.make(2**62, Purpose.VIEW)

    assert token == tokens.make(2**62, Purpose.VIEW)
    assert len(token) == 24
    assert token.replace("-", "").replace("_", "").isalnum()


@pytest.mark.parametrize("change", ["", "x", "é", "A" * 24, "=" * 24, "\0", "A" * 5000, "../../etc"])
def test_read_with_nonsense_is_none(change):
    assert tokens.read(change, Purpose.VIEW) is None


def test_read_with_any_character_changed_is_none():
    token = tokens.make(42, Purpose.ACT)

    for index, character in enumerate(token):
        forged = token[:index] + ("A" if character != "A" else "B") + token[index + 1 :]
        assert tokens.read(forged, Purpose.ACT) is None
        assert tokens.read(token[:index], Purpose.ACT) is None


def test_read_after_key_rotation_still_works_with_the_fallback(settings):
    token = tokens.make(42, Purpose.UNSUBSCRIBE)
    old = settings.SECRET_KEY

    settings.SECRET_KEY = "another-secret"
    assert tokens.read(token, Purpose.UNSUBSCRIBE) is None

    settings.SECRET_KEY_FALLBACKS = [old]
    assert tokens.read(token, Purpose.UNSUBSCRIBE) == 42
