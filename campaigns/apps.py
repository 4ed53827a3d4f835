"""Campaign kits."""

from django.apps import AppConfig


class CampaignsConfig(AppConfig):
    """Bundles of assets, co-branded by vendor, distributor and reseller."""

    name = "campaigns"
