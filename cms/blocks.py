"""Blocks of zoned pages: each top-level block is a zone with its policy beside its content."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from wagtail import blocks
from wagtail.documents.blocks import DocumentChooserBlock
from wagtail.fields import StreamField
from wagtail.images.blocks import ImageChooserBlock

from cms.enums import Editable, Presence

RICH_TEXT_FEATURES = ["bold", "italic", "link", "ul", "ol", "h3", "h4"]


class ZoneBlock(blocks.StructBlock):
    """A zone: ``content`` plus what a distributor may do with it. The zone's key is its StreamField block id."""

    editable = blocks.ChoiceBlock(choices=Editable.choices, default=Editable.LOCKED, label=_("Distributors may edit"))
    presence = blocks.ChoiceBlock(choices=Presence.choices, default=Presence.ALWAYS, label=_("Presence"))
    guidance = blocks.CharBlock(
        required=False, max_length=300, label=_("Guidance"), help_text=_("Shown to distributors beside the zone.")
    )
    max_length = blocks.IntegerBlock(
        required=False, min_value=1, max_value=20000, label=_("Longest text"), help_text=_("Characters, without tags.")
    )

    class Meta:
        form_classname = "zone-block"
        form_layout = blocks.BlockGroup(
            children=[
                "content",
                # Closed, its title says what matters: "Locked · Always there".
                blocks.BlockGroup(
                    children=["editable", "presence", "guidance", "max_length"],
                    heading=_("For distributors"),
                    icon="lock",
                    classname="collapsed zone-policy",
                    label_format="{editable} · {presence}",
                ),
            ]
        )

    def get_searchable_content(self, value: Any) -> list[str]:
        """Words of the content only: settings such as "Locked" and the guidance are not for readers."""
        block = self.child_blocks["content"]
        return block.get_searchable_content(value.get("content") or block.get_default())

    def clean(self, value: Any) -> Any:
        """A zone that distributors must fill is open; any other has content of the vendor's own.

        Raises StructBlockValidationError at the setting or the content.
        """
        cleaned = super().clean(value)
        errors = {}
        must_fill = cleaned["presence"] == Presence.REQUIRED
        if must_fill and cleaned["editable"] == Editable.LOCKED:
            errors["presence"] = ValidationError(
                _("Distributors cannot fill a locked zone: open it, or choose another.")
            )
        if not must_fill and not cleaned["content"]:
            errors["content"] = ValidationError(_("Write something, or make it an open zone that must be filled."))
        if errors:
            raise blocks.StructBlockValidationError(block_errors=errors)
        return cleaned


class HeadingContent(blocks.CharBlock):
    """One line of heading."""


class ButtonContent(blocks.StructBlock):
    """A button that leads somewhere on the web."""

    label = blocks.CharBlock(max_length=60, label=_("Label"))
    url = blocks.URLBlock(label=_("Address"), help_text=_("Starts with https://"))


class QuoteContent(blocks.StructBlock):
    """Somebody's words."""

    text = blocks.TextBlock(max_length=1000, label=_("Quote"))
    attribution = blocks.CharBlock(required=False, max_length=120, label=_("Who said it"))


class ImageContent(blocks.StructBlock):
    """A picture with its description."""

    image = ImageChooserBlock(label=_("Image"))
    alt = blocks.CharBlock(
        max_length=200, required=False, label=_("Description"), help_text=_("For who cannot see it.")
    )
    caption = blocks.CharBlock(required=False, max_length=200, label=_("Caption"))


class DocumentContent(blocks.StructBlock):
    """A file to download."""

    document = DocumentChooserBlock(label=_("Document"))
    label = blocks.CharBlock(required=False, max_length=120, label=_("Label"))


class HeadingZone(ZoneBlock):
    """A heading that is a zone."""

    content = HeadingContent(max_length=150, required=False, label=_("Heading"))

    class Meta:
        icon = "title"
        label = _("Heading")
        template = "cms/blocks/heading.html"


class RichTextZone(ZoneBlock):
    """Formatted text that is a zone."""

    content = blocks.RichTextBlock(features=RICH_TEXT_FEATURES, required=False, label=_("Text"))

    class Meta:
        icon = "pilcrow"
        label = _("Text")
        template = "cms/blocks/rich_text.html"


class ImageZone(ZoneBlock):
    """A picture that is a zone."""

    content = ImageContent(label=_("Image"))

    class Meta:
        icon = "image"
        label = _("Image")
        template = "cms/blocks/image.html"


class ButtonZone(ZoneBlock):
    """A button that is a zone."""

    content = ButtonContent(label=_("Button"))

    class Meta:
        icon = "link"
        label = _("Button")
        template = "cms/blocks/button.html"


class QuoteZone(ZoneBlock):
    """A quote that is a zone."""

    content = QuoteContent(label=_("Quote"))

    class Meta:
        icon = "openquote"
        label = _("Quote")
        template = "cms/blocks/quote.html"


class DocumentZone(ZoneBlock):
    """A file that is a zone."""

    content = DocumentContent(label=_("Document"))

    class Meta:
        icon = "doc-full"
        label = _("Document")
        template = "cms/blocks/document.html"


class ZoneStreamBlock(blocks.StreamBlock):
    """The body of a zoned page."""

    heading = HeadingZone()
    rich_text = RichTextZone()
    image = ImageZone()
    button = ButtonZone()
    quote = QuoteZone()
    document = DocumentZone()


class ZoneStreamField(StreamField):
    """A StreamField of zones whose migrations do not record its blocks, so that a new block makes no migration."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not args:
            args = (ZoneStreamBlock(required=False),)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, list[Any], dict[str, Any]]:
        """As an ordinary field: the blocks are code, not schema."""
        name, path, _args, kwargs = super().deconstruct()
        kwargs.pop("block_lookup", None)
        return name, path, [], kwargs
