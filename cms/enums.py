"""Choices of the cms app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Level(models.TextChoices):
    """Which tier a content tree is for."""

    DISTRIBUTOR = "distributor", _("Distributor level")
    RESELLER = "reseller", _("Reseller level")


class Job(models.TextChoices):
    """What a piece of content helps its reader do."""

    RECRUIT = "recruit", _("Recruit partners")
    ONBOARD = "onboard", _("Onboard partners")
    COMMUNICATE = "communicate", _("Communicate")
    TRAIN = "train", _("Train")
    MARKET = "market", _("Market")
    SELL = "sell", _("Sell")
    PRICE = "price", _("Price")


class Editable(models.TextChoices):
    """Whether a distributor may change a zone's content."""

    LOCKED = "locked", _("Locked")
    OPEN = "open", _("Open")


class Presence(models.TextChoices):
    """Whether a distributor may leave a zone out."""

    ALWAYS = "always", _("Always there")
    DROPPABLE = "droppable", _("May be left out")
    REQUIRED = "required", _("Must be filled")
