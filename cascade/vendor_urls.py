"""Addresses of the vendor's screens, inside the Wagtail admin."""

from django.urls import path

from cascade.views import vendor

app_name = "cascades"

urlpatterns = [
    path("", vendor.CascadeList.as_view(), name="index"),
    path("results/", vendor.CascadeList.as_view(results_only=True), name="index_results"),
    path("new/", vendor.Prepare.as_view(), name="create"),
    path("<int:pk>/", vendor.CascadeDetail.as_view(), name="detail"),
    path("<int:pk>/live/", vendor.CascadeLive.as_view(), name="live"),
    path("<int:pk>/edit/", vendor.Revise.as_view(), name="edit"),
    path("<int:pk>/review/", vendor.Review.as_view(), name="review"),
    path("<int:pk>/nudge/", vendor.Nudge.as_view(), name="nudge"),
    path("<int:pk>/extend/", vendor.Extend.as_view(), name="extend"),
    path("<int:pk>/widen/", vendor.Widen.as_view(), name="widen"),
    path("<int:pk>/duplicate/", vendor.Duplicate.as_view(), name="duplicate"),
    path("<int:pk>/close/", vendor.Close.as_view(), name="close"),
    path("<int:pk>/recall/", vendor.Recall.as_view(), name="recall"),
    path("<int:pk>/discard/", vendor.Discard.as_view(), name="discard"),
    path("<int:pk>/distributors/<int:hop>/", vendor.Resellers.as_view(), name="resellers"),
]
