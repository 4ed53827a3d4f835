"""The check that keeps tenant scope really finds what breaks it."""

import pytest
from django.core.checks import run_checks
from django.db import models
from django.test.utils import isolate_apps

from accounts.checks import _check_model
from accounts.models import Organization, OrganizationOwned


def test_all_models_keep_the_rule():
    assert [error for error in run_checks() if error.id.startswith("accounts.")] == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, "accounts.E001"),
        ({"shared_because": "of a reason"}, None),
        ({"shared_because": ""}, "accounts.E001"),
    ],
)
@isolate_apps("accounts")
def test_a_model_that_points_to_an_organization_must_say_whose_it_is(body, error):
    key = models.ForeignKey(Organization, on_delete=models.CASCADE)
    model = type("Row", (models.Model,), {"__module__": "accounts.models", "owner": key, **body})
    assert [e.id for e in _check_model(model)] == ([error] if error else [])


@isolate_apps("accounts")
def test_an_owner_field_that_leads_nowhere_is_found():
    class Row(OrganizationOwned):
        owner_field = "company_id"

        class Meta:
            app_label = "accounts"

    assert [e.id for e in _check_model(Row)] == ["accounts.E003"]
