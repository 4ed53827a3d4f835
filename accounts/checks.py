"""System checks that keep the house rule of tenant scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from accounts.models import Organization, OrganizationOwned

OUR_APPS = frozenset({"accounts", "cms", "cascade", "campaigns", "training", "onward"})


@register()
def tenant_scope(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Every model that points to an organization says whose it is.

    It inherits OrganizationOwned (and so has ``visible_to``), or says in ``shared_because`` why no organization owns
    its rows: who reads such a row must then pass through a row that is scoped.
    """
    configs = app_configs if app_configs is not None else apps.get_app_configs()
    return [
        message
        for config in configs
        if config.label in OUR_APPS
        for model in config.get_models()
        for message in _check_model(model)
    ]


def _check_model(model: type[models.Model]) -> Iterator[CheckMessage]:
    if issubclass(model, OrganizationOwned):
        if not hasattr(model._default_manager, "visible_to"):
            yield Error(f"{model._meta.label} has lost visible_to().", obj=model, id="accounts.E002")
        if _leads_to(model, model.owner_field) is not Organization:
            yield Error(
                f"{model._meta.label}.owner_field = {model.owner_field!r} does not lead to an organization.",
                obj=model,
                id="accounts.E003",
            )
    elif _points_to_organization(model) and not vars(model).get("shared_because"):
        yield Error(
            f"{model._meta.label} points to an organization but does not inherit OrganizationOwned.",
            hint="Inherit it and name owner_field, or say in shared_because why no organization owns the rows.",
            obj=model,
            id="accounts.E001",
        )


def _points_to_organization(model: type[models.Model]) -> bool:
    return any(field.is_relation and field.related_model is Organization for field in model._meta.local_fields)


def _leads_to(model: type[models.Model], lookup: str) -> type[models.Model] | None:
    """The model at the end of ``lookup``, a path of foreign keys whose last step may be a key's column."""
    for step in lookup.split("__"):
        try:
            field = model._meta.get_field(step.removesuffix("_id"))
        except FieldDoesNotExist:
            return None
        if not field.is_relation or field.related_model is None:
            return None
        model = cast("type[models.Model]", field.related_model)  # a class once apps are ready
    return model
