"""Sign-in, password and address: they work, they are limited, and they tell nobody who has an account."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.urls import reverse

from accounts.models import Address, User
from tests.factories.accounts import PASSWORD, ContactFactory, UserFactory

LOGIN = "/account/login/"
NEW = "a long new passphrase"


@pytest.fixture(autouse=True)
def _no_limits_left_over():
    cache.clear()
    yield
    cache.clear()


def main(response):
    """The page without its CSRF token and what the visitor typed."""
    text = response.text.partition("<main")[2]
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|[\w.+-]+@[\w.-]+', "", text)


def path_in(mail):
    return re.search(r"http://[^/\s]+(/account/\S+)", mail.body)[1]


def sign_in(client, email, password=PASSWORD, **extra):
    return client.post(LOGIN, {"login": email, "password": password, **extra})


def ask_for_address(client, email):
    """Ask for a new address and, where asked, give the password once more; the answer is the page that follows."""
    response = client.post("/account/email/", {"action_add": "", "email": email})
    if "reauthenticate" in response.url:
        response = client.post(response.url, {"password": PASSWORD})
    return client.get(response.url)


# --- sign-in ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("email", ["manager@acme.example", "Manager@ACME.example"])
def test_sign_in_by_address_in_any_case(email, client, distributor_manager):
    assert sign_in(client, email).url == reverse("home")


def test_sign_in_says_the_same_for_a_wrong_password_and_an_unknown_address(client, distributor_manager):
    wrong = sign_in(client, "manager@acme.example", "wrong password")
    unknown = sign_in(client, "nobody@acme.example", "wrong password")
    assert main(wrong) == main(unknown)
    assert wrong.context["form"].errors


def test_sign_in_is_limited_per_address(client, distributor_manager):
    for _ in range(5):
        sign_in(client, "manager@acme.example", "wrong password")
    response = sign_in(client, "manager@acme.example")
    assert response.status_code in (200, 429)
    assert "_auth_user_id" not in client.session


def test_an_inactive_person_does_not_get_in(client, distributor_manager):
    User.objects.filter(pk=distributor_manager.pk).update(is_active=False)
    sign_in(client, "manager@acme.example")
    assert "_auth_user_id" not in client.session


def test_a_protected_page_leads_to_sign_in_and_back(client, distributor_manager):
    first = client.get(reverse("profile"))
    assert first.url == f"{LOGIN}?next=/profile/"
    assert sign_in(client, "manager@acme.example", next="/profile/").url == "/profile/"


def test_sign_in_never_leads_to_a_foreign_site(client, distributor_manager):
    assert sign_in(client, "manager@acme.example", next="https://evil.example/").url == reverse("home")


@pytest.mark.parametrize("email", ["manager@acme.example", "new@acme.example"])
def test_sign_up_is_closed_and_says_the_same_to_everybody(email, client, distributor_manager, mailoutbox):
    data = {"email": email, "password1": NEW, "password2": NEW}
    response = client.post("/account/signup/", data)
    assert "signup_closed" in response.templates[0].name
    assert User.objects.count() == 1
    assert not mailoutbox


# --- password -----------------------------------------------------------------------------------------------------
def test_password_reset_works_once(client, distributor_manager, mailoutbox):
    client.post("/account/password/reset/", {"email": "manager@acme.example"})
    [mail] = mailoutbox
    assert mail.subject == "Choose a new password"
    assert "Acme Distribution" in mail.alternatives[0].content
    form = client.get(path_in(mail), follow=True)
    client.post(form.redirect_chain[-1][0], {"password1": NEW, "password2": NEW})

    assert sign_in(client, "manager@acme.example", NEW).status_code == 302
    client.logout()
    assert "token_fail" in client.get(path_in(mail), follow=True).context


def test_password_reset_says_the_same_for_an_unknown_address_and_writes_to_nobody(
    client, distributor_manager, mailoutbox
):
    known = client.post("/account/password/reset/", {"email": "manager@acme.example"}, follow=True)
    unknown = client.post("/account/password/reset/", {"email": "nobody@acme.example"}, follow=True)
    assert main(known) == main(unknown)
    assert [mail.to for mail in mailoutbox] == [["manager@acme.example"]]


def test_password_reset_links_ignore_the_host_header(client, distributor_manager, mailoutbox, settings):
    settings.BASE_URL = "https://portal.example"
    client.post("/account/password/reset/", {"email": "manager@acme.example"}, headers={"host": "localhost"})
    assert "https://portal.example/account/password/reset/key/" in mailoutbox[0].body


def test_password_change_tells_the_person(client, distributor_manager, mailoutbox):
    sign_in(client, "manager@acme.example")
    data = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post("/account/password/change/", data).url == reverse("profile")
    assert [mail.subject for mail in mailoutbox] == ["Your password was changed"]


# --- address ------------------------------------------------------------------------------------------------------
@pytest.fixture
def change(client, distributor_manager, mailoutbox):
    """Ask for a new address; returns the path of the link that was mailed to it."""

    def ask(email):
        sign_in(client, "manager@acme.example")
        ask_for_address(client, email)
        return path_in(mailoutbox[-1])

    return ask


def test_a_new_address_needs_the_password_once_more(client, distributor_manager, mailoutbox):
    sign_in(client, "manager@acme.example")
    response = client.post("/account/email/", {"action_add": "", "email": "mara@new.example"})
    client.post(response.url, {"password": "wrong password"})
    assert not mailoutbox
    assert not EmailAddress.objects.filter(email="mara@new.example").exists()


def test_a_changed_address_counts_once_confirmed_and_the_old_one_is_told(
    change, client, distributor_manager, mailoutbox
):
    path = change("Mara@New.example")
    distributor_manager.refresh_from_db()
    assert distributor_manager.email == "manager@acme.example"
    client.get(path)
    distributor_manager.refresh_from_db()
    assert distributor_manager.email == "manager@acme.example"  # a GET changes nothing

    client.post(path)

    distributor_manager.refresh_from_db()
    assert distributor_manager.email == "mara@new.example"
    assert list(EmailAddress.objects.values_list("email", "verified")) == [("mara@new.example", True)]
    assert mailoutbox[-1].to == ["manager@acme.example"]
    assert set(distributor_manager.person.addresses.values_list("email", flat=True)) == {
        "manager@acme.example",
        "mara@new.example",
    }


def test_confirming_an_address_that_was_a_contact_joins_the_two_persons(change, client, distributor_manager, reseller):
    contact = ContactFactory(owner=distributor_manager.memberships.get().organization, email="mara@new.example")
    former = contact.address.person_id
    client.post(change("mara@new.example"))
    contact.refresh_from_db()
    assert contact.address.person == distributor_manager.person
    assert not Address.objects.filter(person=former).exists()


def test_changing_to_the_address_of_another_account_says_nothing_and_gives_nothing(
    client, distributor_manager, mailoutbox
):
    other = UserFactory(email="other@acme.example")
    sign_in(client, "manager@acme.example")
    taken = ask_for_address(client, other.email)
    client.post("/account/email/", {"action_remove": "", "email": other.email})
    client.get("/account/email/")  # takes the messages away
    free = ask_for_address(client, "free@acme.example")
    assert main(taken) == main(free)
    for mail in list(mailoutbox):  # even if the mailbox's owner follows a link they did not ask for
        client.post(path_in(mail))
    other.refresh_from_db()
    assert other.email == "other@acme.example"
    assert EmailAddress.objects.get(email="other@acme.example", verified=True).user == other


# --- language and timezone ----------------------------------------------------------------------------------------
def test_profile_sets_the_language_and_the_zone_of_the_next_page(client, distributor_manager):
    client.force_login(distributor_manager)
    client.post(reverse("profile"), {"name": "Mara M.", "language": "de", "timezone": "Asia/Tokyo"})
    page = client.get(reverse("profile"))
    assert page.headers["Content-Language"] == "de"
    distributor_manager.refresh_from_db()
    assert (distributor_manager.name, distributor_manager.person.name) == ("Mara M.", "Mara M.")
    assert str(page.wsgi_request.viewer.tzinfo) == "Asia/Tokyo"


def test_profile_form_shows_what_is_set(client, distributor_manager):
    client.force_login(distributor_manager)
    data = {"name": "Mara M.", "language": "de", "timezone": "Asia/Tokyo"}
    client.post(reverse("profile"), data)
    form = client.get(reverse("profile")).context["form"]
    assert {name: form[name].value() for name in data} == data


def test_profile_refuses_a_zone_that_does_not_exist(client, distributor_manager):
    client.force_login(distributor_manager)
    page = client.post(reverse("profile"), {"name": "Mara", "language": "xx", "timezone": "Mars/Olympus"})
    assert set(page.context["form"].errors) == {"language", "timezone"}


def test_a_zone_that_vanished_from_the_database_breaks_no_page(client, distributor_manager):
    person = distributor_manager.person
    person.timezone = "US/Pacific-New"
    person.save(update_fields=["timezone"])
    client.force_login(distributor_manager)
    assert client.get(reverse("profile")).status_code == 200


@pytest.mark.parametrize(
    "name",
    ["account_login", "account_reset_password", "account_signup", "account_reset_password_done"],
)
def test_entrance_pages_answer(name, client, vendor):
    assert client.get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", ["account_email", "account_change_password", "account_logout"])
def test_account_pages_answer(name, client, distributor_manager):
    sign_in(client, "manager@acme.example")
    assert client.get(reverse(name)).status_code == 200
