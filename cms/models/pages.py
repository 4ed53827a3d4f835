"""Pages of the two content trees."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from modelcluster.fields import ParentalKey
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel
from wagtail.models import Orderable, Page
from wagtail.search import index

from accounts.models import Organization
from cms.blocks import ZoneStreamField
from cms.enums import Job, Level
from cms.forms import ZonedPageForm

if TYPE_CHECKING:
    from accounts.viewer import Viewer


class ZonedPage(Page):
    """A page whose body, title, subject and preview text are zones a distributor may adapt within limits."""

    summary = models.TextField(_("summary"), max_length=400, blank=True, help_text=_("One or two lines."))
    job = models.CharField(
        _("job"), max_length=16, choices=Job, blank=True, help_text=_("What this helps its reader do.")
    )
    body = ZoneStreamField(blank=True, verbose_name=_("body"))
    subject = models.CharField(_("e-mail subject"), max_length=120, blank=True)
    preview_text = models.CharField(_("e-mail preview text"), max_length=150, blank=True)
    # Field zones: key "field:<name>"; whether a distributor may write its own.
    title_is_open = models.BooleanField(_("distributors may change the title"), default=False)
    subject_is_open = models.BooleanField(_("distributors may change the subject"), default=True)
    preview_text_is_open = models.BooleanField(_("distributors may change the preview text"), default=True)

    FIELD_ZONES: ClassVar[tuple[str, ...]] = ("title", "subject", "preview_text")
    is_cascadable: ClassVar[bool] = False
    needs_job: ClassVar[bool] = True  # an item; homes and folders hold items and help nobody do anything themselves

    base_form_class = ZonedPageForm
    content_panels = [
        *Page.content_panels,
        FieldPanel("summary"),
        FieldPanel("job"),
        FieldPanel("body"),
        MultiFieldPanel(
            [
                FieldPanel("subject"),
                FieldPanel("preview_text"),
                FieldPanel("title_is_open"),
                FieldPanel("subject_is_open"),
                FieldPanel("preview_text_is_open"),
            ],
            heading=_("E-mail and what distributors may change in it"),
        ),
    ]
    search_fields = [*Page.search_fields, index.SearchField("summary"), index.SearchField("body")]

    class Meta:
        abstract = True

    def place_for(self, viewer: Viewer) -> str:
        """Where ``viewer`` deals with this page when it is more than something to read; empty: at its own address."""
        return ""

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        """Of the editor's side panel: the web page, and for what is cascaded the mail and its text part."""
        from cms.preview import modes_of  # deferred: previews read models

        return [(mode.value, mode.label) for mode in modes_of(self)]

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """As readers of the distributor whom the person chose under "Preview as…", else in the vendor's own words."""
        from cms.preview import SESSION_KEY, preview_response  # deferred: previews read models

        pk = request.session.get(SESSION_KEY)
        chosen = Organization.objects.visible_to(request.user).filter(pk=pk).first() if pk else None
        return preview_response(self, chosen, mode_name or self.preview_modes[0][0])


class LevelHomePage(ZonedPage):
    """The root of one level's tree. Every page below it is for that level's people."""

    needs_job = False

    level = models.CharField(_("level"), max_length=16, choices=Level)

    content_panels = [*ZonedPage.content_panels, FieldPanel("level")]
    parent_page_types = ["wagtailcore.Page"]

    class Meta:
        verbose_name = _("level home")


class SectionPage(ZonedPage):
    """A folder of pages."""

    needs_job = False

    parent_page_types = ["cms.LevelHomePage", "cms.SectionPage"]

    class Meta:
        verbose_name = _("section")


class ContentPage(ZonedPage):
    """A page to read."""

    parent_page_types = ["cms.LevelHomePage", "cms.SectionPage"]
    subpage_types: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("page")


class ResourcePage(ZonedPage):
    """Files to download, with what they are for."""

    content_panels = [*ZonedPage.content_panels, InlinePanel("files", label=_("file"))]
    parent_page_types = ["cms.LevelHomePage", "cms.SectionPage"]
    subpage_types: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("resource")


class ResourceFile(Orderable):
    """One file of a resource page."""

    page = ParentalKey(ResourcePage, on_delete=models.CASCADE, related_name="files")
    document = models.ForeignKey("wagtaildocs.Document", on_delete=models.PROTECT, related_name="+")
    label = models.CharField(_("label"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=12, blank=True)

    panels = [FieldPanel("document"), FieldPanel("label"), FieldPanel("language")]
