"""What every portal template may use."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def portal(request: HttpRequest) -> dict[str, Any]:
    """Nothing yet beyond the viewer."""
    return {"viewer": getattr(request, "viewer", None)}
