"""Set an installation up without the demo."""

from __future__ import annotations

import os
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import setup


class Command(BaseCommand):
    """Creates the vendor and its first owner, and prints where the owner chooses a password."""

    help = "Create the vendor of this installation and its first owner. Refuses when there is one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Names and the address; a password only through the environment, so that no shell history keeps it."""
        parser.add_argument("--name", required=True, help="The vendor's name.")
        parser.add_argument("--email", required=True, help="The first owner's e-mail address.")
        parser.add_argument("--owner", default="", help="The first owner's name.")
        parser.add_argument("--language", default="en", help="The vendor's language, for example en or de.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, or say why not."""
        password = os.environ.get("VENDOR_PASSWORD")
        try:
            owner = setup.set_up_vendor(
                options["name"],
                options["email"],
                owner_name=options["owner"],
                password=password,
                language=options["language"],
            )
        except (setup.AlreadySetUp, ValidationError) as error:
            message = "; ".join(error.messages) if isinstance(error, ValidationError) else str(error)
            raise CommandError(message) from error
        self.stdout.write(f"{options['name']} is set up. First owner: {owner.email}")
        if not password:
            self.stdout.write(f"Choose a password within three days: {setup.password_link(owner)}")
