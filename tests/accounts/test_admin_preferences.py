"""One choice of timezone and language, in the portal and in the Wagtail admin."""

from __future__ import annotations

from wagtail.users.models import UserProfile


def test_admin_speaks_the_zone_and_language_of_the_profile(vendor_editor):
    person = vendor_editor.person
    person.timezone, person.language = "Asia/Tokyo", "de"
    person.save(update_fields=["timezone", "language"])
    profile = UserProfile.get_for_user(vendor_editor)
    assert (profile.current_time_zone, profile.preferred_language) == ("Asia/Tokyo", "de")


def test_admin_preferences_are_nobody_else_s(distributor_manager):
    person = distributor_manager.person
    person.timezone = "Asia/Tokyo"
    person.save(update_fields=["timezone"])
    assert not UserProfile.objects.filter(user=distributor_manager).exists()
