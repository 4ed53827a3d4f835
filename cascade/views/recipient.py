"""Pages for whoever got a message, without signing in: the item, the one button, why, preferences, unsubscribe.

A token in the address names the delivery and the purpose. A GET never changes anything, because mail gateways fetch
every link. The token is the secret, so there is no CSRF token and no cookie; nothing on a page tells who the recipient
is to somebody it was forwarded to.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View

from accounts.enums import SuppressionScope, Topic
from accounts.models import Consent, Organization
from cascade import subscriptions, tokens
from cascade.completion import complete
from cascade.enums import Goal, Tier
from cascade.forms.recipient import ActForm, PreferencesForm, ResubscribeForm, UnsubscribeForm
from cascade.items import Item, NoContent, Standing, is_done, item_of_delivery
from cascade.models import Delivery
from cascade.tokens import Purpose
from cms.context_processors import Look
from cms.files import SignedLinks

TEST_DELIVERY = 0  # stands in the links of a test message


def masked(email: str) -> str:
    """An address its owner recognizes and nobody else can use: ``r•••@cobalt.example``."""
    local, _at, domain = email.rpartition("@")
    return f"{local[:1]}•••@{domain}"


@method_decorator(csrf_exempt, name="dispatch")
class TokenView(View):
    """The base: finds the delivery, speaks its language, wears its sender's brand, stays out of caches and indexes."""

    purpose: ClassVar[Purpose]

    def dispatch(self, request: HttpRequest, token: str) -> HttpResponseBase:
        """Answer for the delivery the token names; 404 in plain words for a token that names none."""
        found = tokens.read(token, self.purpose)
        if found == TEST_DELIVERY:
            return private(render(request, "recipient/test.html"))
        delivery = self._delivery(found) if found else None
        if delivery is None:
            return private(render(request, "recipient/unknown.html", status=HTTPStatus.NOT_FOUND))
        self.delivery = delivery
        language = delivery.person.language or delivery.language
        known = {code for code, _name in settings.LANGUAGES}
        with translation.override(language if language in known else language.partition("-")[0]):
            response = super().dispatch(request, token=token)
        return private(response)

    @staticmethod
    def _delivery(pk: int) -> Delivery | None:
        related = ("wave__hop__cascade", "wave__hop__organization__brand", "address", "person", "organization")
        return Delivery.objects.select_related(*related).filter(pk=pk).first()

    @property
    def sender(self) -> Organization:
        """Who sent the message."""
        return self.delivery.wave.hop.organization

    def page(self, template: str, status: int = HTTPStatus.OK, **context: Any) -> HttpResponse:
        """A page in the sender's brand."""
        shared = {
            "delivery": self.delivery,
            "sender": self.sender,
            "sender_brand": getattr(self.sender, "brand", None),
            "brand": Look.of(self.sender),
            "email": masked(self.delivery.email),
            "topic": Topic(self.delivery.wave.hop.cascade.topic or Topic.NEWS).label,
        }
        return render(self.request, f"recipient/{template}.html", {**shared, **context}, status=status)

    def again(self) -> HttpResponseRedirect:
        """Back to this very page, so that a reload repeats nothing."""
        return HttpResponseRedirect(self.request.path)


def private(response: HttpResponseBase) -> HttpResponseBase:
    """Not for caches, not for search engines, and no token in anybody's Referer."""
    patch_cache_control(response, private=True, no_store=True)
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response


class ItemView(TokenView):
    """The item in the browser, as it is today."""

    purpose = Purpose.VIEW

    @cached_property
    def item(self) -> Item | None:
        """What the message was about; None when nothing is left of it."""
        try:
            return item_of_delivery(self.delivery)
        except NoContent:
            return None

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """The article, or what became of it."""
        return self.show()

    def show(self, **context: Any) -> HttpResponse:
        """The article with ``context``; a notice in its place after a recall."""
        item = self.item
        if item is None or not item.is_readable:
            return self.page("withdrawn", HTTPStatus.GONE, item=item, is_recalled=_is_recalled(item))
        reader = item.effective.organization
        files = SignedLinks(item.page.pk, reader.pk if reader else None)
        sent_at = self.delivery.sent_at or self.delivery.wave.frozen_at
        return self.page(
            "item",
            item=item,
            files=files,
            is_notice=self.delivery.tier == Tier.DISTRIBUTORS,
            updated_at=item.effective.updated_at if item.was_updated_since(sent_at) else None,
            **context,
        )


class ActView(ItemView):
    """The item with its one button."""

    purpose = Purpose.ACT

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """The article and the button, or that it is done."""
        done_at = is_done(self.delivery.cascade, self.delivery.person) if self.item else None
        return self.show(may_act=bool(self.item and self.item.is_open), done_at=done_at, links=self.links())

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Do it. Once the item is closed the page says so and nothing is written."""
        item = self.item
        if item is not None and item.is_open:
            form = ActForm(request.POST, item=item)
            if form.is_valid():
                complete(
                    self.delivery.person,
                    item.page,
                    Goal(form.cleaned_data["goal"]),
                    evidence={"through": "mail", "delivery": self.delivery.pk},
                )
        return self.again()

    def links(self) -> dict[str, str]:
        """Who may act for the recipient may also ask why, and decide what they get."""
        pk = self.delivery.pk
        return {
            "why": tokens.make(pk, Purpose.WHY),
            "preferences": tokens.make(pk, Purpose.PREFERENCES),
            "unsubscribe": tokens.make(pk, Purpose.UNSUBSCRIBE),
        }


class WhyView(TokenView):
    """Why this person got this message."""

    purpose = Purpose.WHY

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Who passed it on, on what basis, and what is kept."""
        about = Consent.objects.filter(address=self.delivery.address, sender=self.sender)
        basis = about.filter(topic__in=["", self.delivery.wave.hop.cascade.topic]).order_by("at").first()
        return self.page("why", basis=basis, is_notice=self.delivery.tier == Tier.DISTRIBUTORS)


class UnsubscribeView(TokenView):
    """Stop, and start again."""

    purpose = Purpose.UNSUBSCRIBE

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """Ask how far, or say that it has stopped."""
        return self.ask(self.form())

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """One click by a mail program (RFC 8058): stop, and answer with nothing. By a person: stop, or start again."""
        if request.POST.get("List-Unsubscribe") == "One-Click":
            subscriptions.unsubscribe(self.delivery)
            return HttpResponse(status=HTTPStatus.OK)
        if "again" in request.POST:
            return self.resubscribe()
        form = self.form(request.POST)
        if not form.is_valid():
            return self.ask(form)
        subscriptions.unsubscribe(self.delivery, form.cleaned_data["scope"])
        return self.again()

    def resubscribe(self) -> HttpResponse:
        """Take one refusal back."""
        form = ResubscribeForm(self.request.POST)
        if form.is_valid():
            subscriptions.resubscribe(self.delivery, form.cleaned_data["scope"])
        return self.again()

    def form(self, data: Any = None) -> UnsubscribeForm:
        """The choices of this delivery."""
        topic = self.delivery.wave.hop.cascade.topic
        return UnsubscribeForm(data, sender=self.sender.name, topic=topic)

    def ask(self, form: UnsubscribeForm) -> HttpResponse:
        """The page, with what has stopped already."""
        now = subscriptions.wishes(self.delivery)
        topic = self.delivery.wave.hop.cascade.topic
        stopped = []
        if now.nothing:
            stopped.append((SuppressionScope.GLOBAL, _("You get nothing that is sent through this portal.")))
        if now.no_sender:
            text = _("You get no messages from %(sender)s.") % {"sender": self.sender.name}
            stopped.append((SuppressionScope.SENDER, text))
        if topic in now.no_topics:
            text = _("You get no messages about “%(topic)s”.") % {"topic": Topic(topic).label}
            stopped.append((SuppressionScope.TOPIC, text))
        preferences = tokens.make(self.delivery.pk, Purpose.PREFERENCES)
        return self.page("unsubscribe", form=form, stopped=stopped, wishes=now, preferences=preferences)


class PreferencesView(TokenView):
    """Language, topics and this sender."""

    purpose = Purpose.PREFERENCES

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """What is set now."""
        now = subscriptions.wishes(self.delivery)
        initial = {
            "language": self.delivery.person.language,
            "topics": [topic for topic in Topic.values if topic not in now.no_topics],
            "from_sender": not now.is_stopped,
        }
        form = PreferencesForm(sender=self.sender.name, initial=initial)
        return self.page("preferences", form=form, is_saved="saved" in request.GET)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Save it."""
        form = PreferencesForm(request.POST, sender=self.sender.name)
        if not form.is_valid():
            return self.page("preferences", form=form)
        subscriptions.set_preferences(self.delivery, **form.cleaned_data)
        return HttpResponseRedirect(f"{request.path}?saved")


def _is_recalled(item: Item | None) -> bool:
    return item is not None and item.standing == Standing.RECALLED
