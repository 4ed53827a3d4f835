"""Views that belong to no app."""

import logging
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views import View

logger = logging.getLogger(__name__)


class Health(View):
    """Whether this process can serve people: 200 or 503. A load balancer asks it every few seconds.

    Anybody learns "ok" or "unavailable"; superusers learn which part fails and what runs here.
    """

    def get(self, request: HttpRequest) -> JsonResponse:
        """Ask the database, and for a superuser the rest."""
        try:
            connection.ensure_connection()
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except Exception:  # whatever the driver raises, the answer is the same
            logger.exception("health.database_unavailable")
            return JsonResponse({"status": "unavailable"}, status=503, headers={"Cache-Control": "no-store"})
        body: dict[str, Any] = {"status": "ok"}
        if request.user.is_authenticated and request.user.is_superuser:
            body["details"] = self.details()
        return JsonResponse(body, headers={"Cache-Control": "no-store"})

    def details(self) -> dict[str, Any]:
        """What a person who runs this installation wants to know first."""
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        return {
            "deployment": settings.DEPLOYMENT,
            "database": connection.vendor,
            "pending_migrations": [str(migration) for migration, _ in pending],
            "broker": settings.CELERY_BROKER_URL.partition(":")[0],
            "cache": settings.CACHES["default"]["BACKEND"].rpartition(".")[2],
            "storage": settings.STORAGES["default"]["BACKEND"].rpartition(".")[2],
            "relay": f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}",
        }
