"""The content trees in the portal: homes, sections, pages, files to download, search."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.generic import TemplateView, View
from wagtail.models import Page, Site

from accounts.enums import OrganizationKind
from accounts.portal import PortalView
from cms import access
from cms.effective import EffectivePage, effective, effective_many
from cms.enums import Level
from cms.models import LevelHomePage, ResourcePage, SectionPage, ZonedPage

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import Organization, User

PAGE_SIZE = 24


class ContentHome(PortalView, View):
    """To the home of the level the person works at; the nearest that they may see."""

    def get(self, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Redirect, or say that there is nothing."""
        homes = level_homes(self.request.user)
        wanted = Level.RESELLER if self.viewer.kind == OrganizationKind.RESELLER else Level.DISTRIBUTOR
        home = next((home for home in homes if home.level == wanted), homes[0] if homes else None)
        if home is None:
            raise Http404(_("There is no content for you yet."))
        return redirect(address(home))


class ContentPageView(PortalView, TemplateView):
    """One page of a tree, as the viewer's distributor passes it on."""

    @cached_property
    def shown(self) -> EffectivePage:
        """The page at this address. 404 when it is not there or not for this person: they cannot tell which."""
        pages = access.visible_pages(self.request.user)
        page = pages.filter(url_path=f"{site_root_path()}{self.kwargs['path']}/").first()
        specific = page.specific if page else None
        if not isinstance(specific, ZonedPage):
            raise Http404
        return effective(specific, self.viewer.distributor)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; what asks the viewer to do something is shown where they do it."""
        if place := self.shown.page.place_for(self.viewer):
            return redirect(place)
        return super().get(request, *args, **kwargs)

    def get_template_names(self) -> list[str]:
        """A list for homes and sections, an article for the rest."""
        return ["cms/section.html"] if isinstance(self.shown.page, LevelHomePage | SectionPage) else ["cms/page.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The page, where it lies, and what it holds."""
        page = self.shown.page
        context = super().get_context_data(**kwargs)
        context |= {"effective": self.shown, "page": page, "title": self.shown.title, "crumbs": self._crumbs(page)}
        if isinstance(page, LevelHomePage):
            context["homes"] = [(home, address(home)) for home in level_homes(self.request.user)]
        if isinstance(page, LevelHomePage | SectionPage):
            context["children"] = self._children(page)
        if isinstance(page, ResourcePage):
            context["page_files"] = page.files.select_related("document")
        return context

    def _children(self, page: Page) -> Any:
        below = access.visible_pages(self.request.user).child_of(page).order_by("path")
        listed = Paginator(below, PAGE_SIZE).get_page(self.request.GET.get("page"))
        listed.object_list = cards(listed.object_list, self.viewer.distributor)
        return listed

    def _crumbs(self, page: Page) -> list[tuple[str, str]]:
        """Ancestors from the level home down, shown only where there is something between home and page."""
        root = site_root_path()
        above = access.visible_pages(self.request.user).ancestor_of(page).order_by("depth")
        above = above.filter(url_path__startswith=root).exclude(url_path=root)
        return [(ancestor.title, address(ancestor)) for ancestor in above]


class SearchForm(forms.Form):
    """What to look for."""

    q = forms.CharField(label=gettext_lazy("Search"), max_length=200, required=False, strip=True)


class SearchView(PortalView, TemplateView):
    """Search over what the person may see, in the words of the vendor."""

    template_name = "cms/search.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Nothing asked: nothing listed."""
        form = SearchForm(self.request.GET)
        query = form.cleaned_data["q"] if form.is_valid() else ""
        context = super().get_context_data(**kwargs) | {"title": _("Search"), "form": form, "query": query}
        if query:
            found = Paginator(search_pages(self.request.user, query), PAGE_SIZE).get_page(self.request.GET.get("page"))
            count = found.paginator.count
            found.object_list = cards(found.object_list, self.viewer.distributor)
            context["found"] = found
            context["purpose"] = ngettext(
                "%(count)d page for “%(query)s”", "%(count)d pages for “%(query)s”", count
            ) % {"count": count, "query": query}
        return context


def search_pages(user: User | AnonymousUser, query: str) -> Any:
    """Visible pages that hold every word of ``query``; when there are none, those whose title begins like it."""
    visible = access.visible_pages(user)
    words = " ".join(re.findall(r"\w+", query))  # signs are operators of the databases' search languages
    if not words:
        return visible.none()
    results = visible.search(words, operator="and")
    return results if results.count() else visible.autocomplete(words)


def cards(pages: Iterable[Page], organization: Organization | None) -> list[dict[str, Any]]:
    """What a list shows of ``pages``: as the organization passes them on, with address and kind, in their order."""
    order = {page.pk: position for position, page in enumerate(pages)}
    specific = [page for page in Page.objects.filter(pk__in=order).specific() if isinstance(page, ZonedPage)]
    result = []
    for shown in effective_many(sorted(specific, key=lambda page: order[page.pk]), organization):
        is_section = isinstance(shown.page, SectionPage | LevelHomePage)
        icon = "folder" if is_section else "download" if isinstance(shown.page, ResourcePage) else "file"
        result.append({"effective": shown, "url": address(shown.page), "icon": icon})
    return result


def level_homes(user: User | AnonymousUser) -> list[LevelHomePage]:
    """Level homes that ``user`` may see, the distributors' first."""
    visible = access.visible_pages(user).values("pk")
    return list(LevelHomePage.objects.filter(pk__in=visible).order_by("path"))


def address(page: Page) -> str:
    """Path of ``page`` in the portal, from what the row holds: no query, however long the list."""
    return reverse("content_page", args=[page.url_path.removeprefix(site_root_path()).strip("/")])


def site_root_path() -> str:
    """Where the content trees begin, as stored in ``url_path``."""
    paths = Site.get_site_root_paths()
    return paths[0].root_path if paths else "/"
