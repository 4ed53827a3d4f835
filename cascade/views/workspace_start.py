"""The first run: a checklist that can be left and taken up again."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from cascade.first_run import steps
from cascade.views.workspace import WorkspaceView


class StartView(WorkspaceView):
    """What a new distributor sets up once."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The steps; the first open one is the next."""
        found = steps(self.organization)
        return self.page(
            "start.html",
            title=_("Get started"),
            purpose=_("Four steps, ten minutes. Leave whenever you like; this list remembers."),
            steps=found,
            following=next((step for step in found if not step.is_done), None),
            done=sum(step.is_done for step in found),
        )
