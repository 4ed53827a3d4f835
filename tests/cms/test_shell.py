from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse

from accounts import navigation as registry
from cms import gallery, navigation
from cms.templatetags import portal


def rendered(source: str, **context) -> str:
    return Template("{% load portal %}" + source).render(Context(context))


def test_gallery_renders_every_component(client, db, rf):
    request = client.get(reverse("account_login")).wsgi_request
    response = gallery.view(request)
    assert response.status_code == 200


def test_state_when_unknown_then_is_shown_in_words():
    assert "Half way" in rendered("{% state 'half_way' %}")


def test_state_says_icon_word_and_tone():
    html = rendered("{% state 'sending' detail='62%' %}")
    assert "tone-info" in html
    assert "#send" in html
    assert "Sending 62%" in html


def test_segments_fill_the_bar_and_survive_nothing():
    laid = portal.segments([("Sent", "ok", 3), ("Waiting", "neutral", 1)])
    assert [(part.start, part.width) for part in laid] == [(0.0, 75.0), (75.0, 25.0)]
    assert [part.width for part in portal.segments([("Sent", "ok", 0)])] == [0.0]


def test_percent_says_all_only_when_it_is_all():
    assert portal._percent(999, 1000) == 99
    assert portal._percent(1, 1000) == 1
    assert portal._percent(1000, 1000) == 100
    assert portal._percent(0, 0) == 0


def test_links_for_marks_the_longest_match_and_counts(monkeypatch):
    monkeypatch.setattr(registry, "_entries", {})
    monkeypatch.setattr(registry, "reverse", lambda name: f"/{name}/")
    navigation.register("A", "a", "home", 2, lambda viewer: True)
    navigation.register("B", "a/b", "home", 1, lambda viewer: True, lambda viewer: 3)
    navigation.register("C", "c", "home", 3, lambda viewer: False)
    links = navigation.links_for(RequestFactory().get("/a/b/9/"), viewer=None)
    assert [(link.label, link.is_current, link.count) for link in links] == [("B", True, 3), ("A", False, 0)]


def test_initials():
    assert [portal.initials(name) for name in ("Anna Berg", "anna@example.com", "", "神田 システム")] == [
        "AB",
        "AE",
        "?",
        "神シ",
    ]
