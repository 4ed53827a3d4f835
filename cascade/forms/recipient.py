"""What a recipient or a reseller's person may send us."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.enums import SuppressionScope, Topic
from cascade.enums import Goal
from cascade.items import Item


class ActForm(forms.Form):
    """One act on an item: only what the item offers, or plain reading."""

    goal = forms.ChoiceField()

    def __init__(self, *args: Any, item: Item, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [(action.goal, action.label) for action in item.actions]
        self.fields["goal"].choices = [*offered, (Goal.READ, Goal.READ.label)]  # type: ignore[attr-defined]


class UnsubscribeForm(forms.Form):
    """How far the refusal reaches."""

    scope = forms.ChoiceField(label=_("What should stop?"), widget=forms.RadioSelect, initial=SuppressionScope.SENDER)

    def __init__(self, *args: Any, sender: str, topic: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        subject = Topic(topic).label if topic in Topic.values else Topic.NEWS.label
        self.fields["scope"].choices = [  # type: ignore[attr-defined]
            (SuppressionScope.SENDER, _("Messages from %(sender)s") % {"sender": sender}),
            (SuppressionScope.TOPIC, _("“%(topic)s”, whoever sends it") % {"topic": subject}),
            (SuppressionScope.GLOBAL, _("Everything that is sent through this portal")),
        ]


class ResubscribeForm(forms.Form):
    """Which refusal is taken back."""

    scope = forms.ChoiceField(choices=SuppressionScope)


class PreferencesForm(forms.Form):
    """What somebody wants to get, and in which language."""

    language = forms.ChoiceField(label=_("Language"), required=False)
    topics = forms.MultipleChoiceField(
        label=_("Messages about"), choices=Topic, required=False, widget=forms.CheckboxSelectMultiple
    )
    from_sender = forms.BooleanField(required=False)

    def __init__(self, *args: Any, sender: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["language"].choices = [("", _("As the sender chooses")), *settings.LANGUAGES]  # type: ignore[attr-defined]
        self.fields["from_sender"].label = _("Messages from %(sender)s") % {"sender": sender}
