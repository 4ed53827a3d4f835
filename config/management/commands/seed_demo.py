"""``manage.py seed_demo``: fill the database with the demo's world."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config import seed


class Command(BaseCommand):
    """Fill the database with the demo's world; running it again changes nothing."""

    help = "Fills the database with the demo's world; running it again changes nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        """Seed. Raises: CommandError in production, where invented people must never be."""
        if settings.DEPLOYMENT == "production":
            raise CommandError("The demo's world does not belong into a production database.")
        seed.seed(self.stdout.write)
