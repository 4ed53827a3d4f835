"""Addresses of the accounts app."""

from django.urls import URLPattern, URLResolver, include, path

from accounts.views import invitations, people, profile

urlpatterns: list[URLPattern | URLResolver] = [
    path("profile/", profile.Profile.as_view(), name="profile"),
    path("profile/export/", profile.ProfileExport.as_view(), name="profile_export"),
    path("profile/delete/", profile.ProfileErase.as_view(), name="profile_erase"),
    path("switch/<int:pk>/", profile.Switch.as_view(), name="switch"),
    path("data-requests/", profile.DataRequests.as_view(), name="data_requests"),
    path("organization/", people.OrganizationProfile.as_view(), name="organization"),
    path("organization/log/", people.AuditLog.as_view(), name="audit_log"),
    path("organization/people/", people.People.as_view(), name="people"),
    path("organization/people/invite/", people.Invite.as_view(), name="invite"),
    path("organization/people/<int:pk>/role/", people.MemberRole.as_view(), name="member_role"),
    path("organization/people/<int:pk>/remove/", people.MemberRemove.as_view(), name="member_remove"),
    path("organization/invitations/<int:pk>/resend/", people.InvitationResend.as_view(), name="invitation_resend"),
    path("organization/invitations/<int:pk>/revoke/", people.InvitationRevoke.as_view(), name="invitation_revoke"),
    path("invitation/<str:token>/", invitations.InvitationPage.as_view(), name="invitation"),
    path("network/", include("accounts.network_urls")),
]
