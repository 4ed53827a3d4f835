"""Addresses of the vendor's distributors, inside the Wagtail admin."""

from django.urls import path

from accounts.views import distributors

app_name = "distributors"

urlpatterns = [
    path("", distributors.DistributorList.as_view(), name="index"),
    path("results/", distributors.DistributorList.as_view(results_only=True), name="index_results"),
    path("add/", distributors.DistributorAdd.as_view(), name="add"),
    path("<int:pk>/", distributors.DistributorEdit.as_view(), name="edit"),
    path("<int:pk>/status/", distributors.DistributorStatus.as_view(), name="status"),
    path("<int:pk>/invite/", distributors.DistributorInvite.as_view(), name="invite"),
]
