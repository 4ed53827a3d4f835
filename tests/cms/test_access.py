from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from wagtail.models import Page

from accounts.policies import can, explain
from cascade.models import AnnouncementPage
from cms import access
from cms.models import AccessRule, PageAccess
from tests.factories.accounts import UserFactory
from tests.factories.cms import AccessRuleFactory, ContentPageFactory, SectionPageFactory, republish


@pytest.fixture
def gold(db) -> Group:
    return Group.objects.create(name="Gold")


@pytest.fixture
def no_providers(monkeypatch):
    monkeypatch.setattr(access, "_providers", [])


def seen(user) -> set[str]:
    return set(access.visible_pages(user).values_list("title", flat=True))


def test_levels_decide_who_sees_a_plain_page(
    trees, distributor_member, reseller_member, vendor_editor, stranger, settings
):
    ContentPageFactory(title="For tier one", parent=trees.distributors)
    ContentPageFactory(title="For tier two", parent=trees.resellers)

    assert {"For tier one", "For tier two"} <= seen(vendor_editor)
    assert {"For tier one", "For tier two"} <= seen(distributor_member)
    assert seen(reseller_member) == {"For tier two", "For resellers"}
    assert seen(stranger) == seen(distributor_member)
    assert seen(AnonymousUser()) == set()
    assert seen(UserFactory()) == set()


def test_inactive_person_sees_nothing(trees, reseller_member):
    ContentPageFactory()
    reseller_member.is_active = False

    assert seen(reseller_member) == set()


def test_draft_is_invisible_until_published(trees, reseller_member):
    page = ContentPageFactory(title="Draft", publish=False)
    before = "Draft" in seen(reseller_member)
    page.save_revision().publish(skip_permission_checks=True)

    assert (before, "Draft" in seen(reseller_member)) == (False, True)


def test_rules_of_all_ancestors_must_hold(trees, gold, reseller_member, reseller_stranger):
    """An inner rule never widens an outer one."""
    outer = SectionPageFactory(title="Gold", parent=trees.resellers)
    inner = SectionPageFactory(title="Inner", parent=outer)
    ContentPageFactory(title="Prices", parent=inner)
    gold_rule = AccessRuleFactory(root=outer.page_ptr, name="Gold only")
    inner_rule = AccessRuleFactory(root=inner.page_ptr, name="Inner")
    access.grant(inner_rule, reseller_member, reseller_stranger)
    assert "Prices" not in seen(reseller_member)

    access.grant(gold_rule, gold)
    reseller_member.groups.add(gold)

    assert {"Gold", "Inner", "Prices"} <= seen(reseller_member)
    assert not {"Gold", "Inner", "Prices"} & seen(reseller_stranger)

    access.revoke(gold_rule, gold)
    assert "Prices" not in seen(reseller_member)


def test_global_permission_opens_nothing(trees, reseller_member):
    """One model-wide view permission must not show every restricted page (guardian's default would)."""
    from django.contrib.auth.models import Permission

    section = SectionPageFactory(title="Gold", parent=trees.resellers)
    AccessRuleFactory(root=section.page_ptr)
    reseller_member.user_permissions.add(Permission.objects.get(codename="view_accessrule"))

    assert "Gold" not in seen(type(reseller_member).objects.get(pk=reseller_member.pk))


def test_cascadable_page_is_visible_only_when_a_provider_says_so(
    trees, no_providers, reseller_member, reseller_stranger, distributor_member
):
    news = trees.resellers.add_child(instance=AnnouncementPage(title="News"))
    assert not any("News" in seen(user) for user in (reseller_member, distributor_member))

    access.register_provider(
        AnnouncementPage, lambda user: [news.pk] if user == reseller_member else Page.objects.none().values("pk")
    )

    assert "News" in seen(reseller_member)
    assert not any("News" in seen(user) for user in (reseller_stranger, distributor_member))


def test_provider_does_not_widen_a_rule(trees, no_providers, reseller_member):
    section = SectionPageFactory(title="Gold", parent=trees.resellers)
    AccessRuleFactory(root=section.page_ptr)
    news = section.add_child(instance=AnnouncementPage(title="News"))
    access.register_provider(AnnouncementPage, lambda user: [news.pk])

    assert "News" not in seen(reseller_member)


def test_explanation_names_every_condition_and_agrees_with_the_list(trees, gold, reseller_member, no_providers):
    section = SectionPageFactory(title="Gold partners", parent=trees.resellers)
    page = ContentPageFactory(title="Prices", parent=section)
    rule = AccessRuleFactory(root=section.page_ptr, name="Gold only")
    access.grant(rule, gold)

    decision = explain(reseller_member, "view", page)
    assert not decision
    assert decision.reasons == (
        "The page is published.",
        "“Reseller level” on “For resellers”: held through Reseller level.",
        "“Gold only” on “Gold partners”: not held.",
    )

    reseller_member.groups.add(gold)
    assert explain(reseller_member, "view", page).reasons[-1] == "“Gold only” on “Gold partners”: held through Gold."
    assert can(reseller_member, "view", page) is access.can_see(reseller_member, page) is True


def test_who_can_see_names_holders_and_people(trees, gold, reseller_member, reseller_stranger):
    section = SectionPageFactory(parent=trees.resellers)
    page = ContentPageFactory(parent=section)
    access.grant(AccessRuleFactory(root=section.page_ptr, name="Gold only"), gold)
    reseller_member.groups.add(gold)

    audience = access.who_can_see(page)

    assert [holders.rule.name for holders in audience.rules] == ["Reseller level", "Gold only"]
    assert list(audience.people) == [reseller_member]


def test_page_outside_both_trees_is_visible_to_nobody(trees, distributor_member):
    trees.root.add_child(instance=Page(title="Loose"))

    assert "Loose" not in seen(distributor_member)


# --- the rows follow the tree ----------------------------------------------------------------------------------------


def rows(page) -> set[str]:
    return set(PageAccess.objects.filter(page=page.pk).values_list("rule__name", flat=True))


def test_rows_are_true_after_create_move_copy_publish_and_rule_changes(trees):
    gold = SectionPageFactory(title="Gold", parent=trees.resellers)
    AccessRuleFactory(root=gold.page_ptr, name="Gold only")
    section = SectionPageFactory(title="Section", parent=trees.resellers)
    page = ContentPageFactory(title="Leaf", parent=section)
    assert rows(page) == {"Reseller level"}

    section.move(gold, pos="last-child")
    page.refresh_from_db()
    assert rows(page) == rows(section) == {"Reseller level", "Gold only"}

    copied = section.copy(to=trees.distributors, recursive=True, update_attrs={"slug": "copy"})
    assert rows(copied) == rows(copied.get_children().get()) == {"Distributor level"}

    rule = AccessRule.objects.get(name="Gold only")
    rule.root = trees.distributors.page_ptr
    rule.save()
    assert rows(page) == {"Reseller level"}
    assert rows(copied) == {"Distributor level", "Gold only"}

    rule.delete()
    republish(page, title="Again")
    assert rows(copied) == {"Distributor level"}
    assert access.differences() == ([], [])


def test_rows_of_a_page_roll_back_with_it(trees):
    from django.db import transaction

    class Boom(Exception):
        pass

    def create_and_fail():
        with transaction.atomic():
            ContentPageFactory(title="Gone")
            raise Boom

    count = PageAccess.objects.count()
    with pytest.raises(Boom):
        create_and_fail()

    assert PageAccess.objects.count() == count


def test_rebuild_access_repairs_what_somebody_broke(trees, reseller_member):
    from django.core.management import CommandError, call_command

    page = ContentPageFactory(title="Leaf")
    wrong = AccessRuleFactory(root=trees.distributors.page_ptr, name="Wrong")
    PageAccess.objects.filter(page=page.pk).delete()
    PageAccess.objects.create(page=page.page_ptr, rule=wrong)

    with pytest.raises(CommandError):
        call_command("rebuild_access", check=True)
    call_command("rebuild_access", verbosity=0)

    assert rows(page) == {"Reseller level"}
    call_command("rebuild_access", check=True, verbosity=0)


def test_visible_pages_cost_one_query_for_one_and_thirty(trees, reseller_member, django_assert_num_queries):
    for _n in range(30):
        ContentPageFactory()
    list(access.visible_pages(reseller_member))  # content types and "is vendor" are known from here on

    for count in (1, 30):
        with django_assert_num_queries(1):
            assert len(access.visible_pages(reseller_member)[:count]) == count


def test_copied_level_home_is_its_levels_own_from_the_start(trees, reseller_member, distributor_member):
    copied = trees.distributors.copy(update_attrs={"slug": "copy", "title": "Copy"}, keep_live=True)

    assert rows(copied) == {"Distributor level"}
    assert "Copy" in seen(distributor_member)
    assert "Copy" not in seen(reseller_member)
