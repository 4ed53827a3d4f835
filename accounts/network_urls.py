"""Addresses of the network: resellers, contacts, tags, imports."""

from django.urls import path, re_path

from accounts.views import network, network_contacts, network_imports

urlpatterns = [
    path("", network.NetworkList.as_view(), name="network"),
    re_path(r"^export\.(?P<kind>csv|xlsx)$", network.NetworkExport.as_view(), name="network_export"),
    re_path(r"^organizations\.(?P<kind>csv|xlsx)$", network.OrganizationsExport.as_view(), name="organizations_export"),
    path("bulk/", network.NetworkBulk.as_view(), name="network_bulk"),
    path("add/", network.ResellerAdd.as_view(), name="network_add"),
    path("tags/", network.Tags.as_view(), name="network_tags"),
    path("tags/<int:pk>/", network.TagEdit.as_view(), name="network_tag"),
    path("resellers/<int:pk>/", network.ResellerDetail.as_view(), name="network_reseller"),
    path("resellers/<int:pk>/edit/", network.ResellerEdit.as_view(), name="network_reseller_edit"),
    re_path(
        r"^resellers/(?P<pk>\d+)/(?P<act>pause|resume|end)/$",
        network.ResellerStatus.as_view(),
        name="network_reseller_status",
    ),
    path("resellers/<int:pk>/contacts/add/", network_contacts.ContactAdd.as_view(), name="network_contact_add"),
    path(
        "resellers/<int:pk>/contacts/<int:contact>/invite/",
        network.ResellerInvite.as_view(),
        name="network_contact_invite",
    ),
    path("contacts/<int:pk>/", network_contacts.ContactEdit.as_view(), name="network_contact"),
    re_path(
        r"^contacts/(?P<pk>\d+)/(?P<act>on|off)/$",
        network_contacts.ContactActive.as_view(),
        name="network_contact_active",
    ),
    path("contacts/<int:pk>/delete/", network_contacts.ContactDelete.as_view(), name="network_contact_delete"),
    path("contacts/<int:pk>/basis/", network_contacts.ContactBasis.as_view(), name="network_contact_basis"),
    path(
        "contacts/<int:pk>/resubscribe/",
        network_contacts.ContactResubscribe.as_view(),
        name="network_contact_resubscribe",
    ),
    path("imports/", network_imports.Imports.as_view(), name="network_imports"),
    path("imports/<int:pk>/", network_imports.Import.as_view(), name="network_import"),
    path("imports/<int:pk>/progress/", network_imports.ImportProgress.as_view(), name="network_import_progress"),
    path("imports/<int:pk>/columns/", network_imports.ImportColumns.as_view(), name="network_import_columns"),
    path("imports/<int:pk>/format/", network_imports.ImportFormat.as_view(), name="network_import_format"),
    path("imports/<int:pk>/confirm/", network_imports.ImportConfirm.as_view(), name="network_import_confirm"),
    path("imports/<int:pk>/discard/", network_imports.ImportDiscard.as_view(), name="network_import_discard"),
    path("imports/<int:pk>/refused/", network_imports.ImportRefused.as_view(), name="network_import_refused"),
]
