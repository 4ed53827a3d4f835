"""Addresses of the reseller's side."""

from django.urls import URLPattern, URLResolver, path

from cascade.views import reseller

urlpatterns: list[URLPattern | URLResolver] = [
    path("", reseller.ResellerHome.as_view(), name="reseller_home"),
    path("all/", reseller.ItemList.as_view(), name="reseller_items"),
    path("<int:pk>/", reseller.ItemPage.as_view(), name="reseller_item"),
    path("<int:pk>/read/", reseller.ItemRead.as_view(), name="reseller_item_read"),
]
