"""Every component on one page, for people who build screens; in DEBUG only, at /_gallery/."""

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cms.context_processors import Look
from cms.navigation import Link
from cms.templatetags.portal import STATES

BRANDS = {"yellow": "#fff3a8", "black": "#000000", "red": "#e4002b", "neutral": ""}
LONG_NAME = "Süddeutsche Netzwerk- und Sicherheitstechnik Vertriebsgesellschaft mbH & Co. KG"


class GalleryForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(label="Name of the reseller", max_length=60, help_text="As your customers know it.")
    note = forms.CharField(label="Note", required=False, max_length=200, widget=forms.Textarea(attrs={"rows": 3}))
    country = forms.ChoiceField(label="Country", choices=[("de", "Germany"), ("fr", "France")])
    due = forms.DateField(label="Due", widget=forms.DateInput(attrs={"type": "date"}))
    audience = forms.ChoiceField(
        label="Audience",
        choices=[("all", "Everybody in your network"), ("tag", "By tag"), ("some", "Chosen resellers")],
        widget=forms.RadioSelect,
    )
    mandatory = forms.BooleanField(label="Mandatory", help_text="They cannot decline it.", required=False)
    file = forms.FileField(label="List", required=False)


class FilterForm(forms.Form):
    """A filter bar."""

    q = forms.CharField(label="Search resellers", required=False)
    state = forms.ChoiceField(label="State", choices=[("", "Any state"), ("sent", "Sent")], required=False)


def gallery(request: HttpRequest) -> HttpResponse:
    """The gallery; ``?brand=`` tries a color on, ``?theme=`` a theme."""
    brand = request.GET.get("brand", "neutral")
    messages.success(request, "Sent to 214 people at 87 resellers.")
    messages.error(request, "The file is not a list: it has no column with e-mail addresses.")
    nav = [
        Link("Inbox", "/_gallery/", "inbox", 3, is_current=True),
        Link("Content", "#", "book", 0),
        Link("Network", "#", "network", 0),
        Link("Sendings", "#", "send", 0),
        Link("Brand", "#", "palette", 0),
        Link("People", "#", "people", 0),
    ]
    steps = [
        {"label": "Offered", "value": 1204},
        {"label": "Passed on", "value": 962},
        {"label": "Delivered", "value": 940},
        {"label": "Done", "value": 388, "url": "#"},
        {"label": "Overdue", "value": 41, "is_late": True},
    ]
    return render(
        request,
        "components/gallery.html",
        {
            "title": "Components",
            "purpose": "What the portal is built from.",
            "brand": Look(name=LONG_NAME if brand == "black" else "Nordlicht Distribution", css_url=f"?css={brand}"),
            "vendor_name": "Halden Networks",
            "nav": nav,
            "theme": request.GET.get("theme", ""),
            "crumbs": [("Content", "#"), ("Launch kits", "#")],
            "states": STATES,
            "form": GalleryForm({"name": "", "country": "de"}),
            "filter_form": FilterForm(),
            "page": Paginator(range(1, 900), 25).page(7),
            "parts": [
                ("Sent", "ok", 180),
                ("Waiting", "neutral", 28),
                ("Failed", "danger", 4),
                ("Unconfirmed", "warn", 2),
            ],
            "steps": steps,
            "long_name": LONG_NAME,
        },
    )


def brand_css(color: str) -> HttpResponse:
    """A brand's stylesheet as the real one would be."""
    light = color in {"#fff3a8"}
    body = f":root{{--accent:{color};--on-accent:{'#171b1f' if light else '#ffffff'}}}" if color else ""
    return HttpResponse(body, content_type="text/css")


def view(request: HttpRequest) -> HttpResponse:
    """The gallery page, or with ``?css=`` one of its brands."""
    if "css" in request.GET:
        return brand_css(BRANDS.get(request.GET["css"], ""))
    return gallery(request)
