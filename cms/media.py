"""Which pictures and files an organization may use in its own texts: Wagtail's collections, asked by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import Q, QuerySet
from wagtail.documents.models import Document
from wagtail.images.models import Image
from wagtail.models import Collection, GroupCollectionPermission

if TYPE_CHECKING:
    from accounts.models import Organization


def usable_images(organization: Organization) -> QuerySet[Image]:
    """Pictures in collections from which the organization's group may choose."""
    return Image.objects.filter(collection__in=_collections(organization, "choose_image"))


def usable_documents(organization: Organization) -> QuerySet[Document]:
    """Files in collections from which the organization's group may choose."""
    return Document.objects.filter(collection__in=_collections(organization, "choose_document"))


@transaction.atomic
def own_collection(organization: Organization) -> Collection:
    """The collection that holds what the organization uploads itself, made when it is first asked for.

    Raises ValueError for an organization without a group (resellers): it adapts nothing.
    """
    if organization.group is None:
        raise ValueError(f"{organization} has no group, so nothing can be granted to it.")
    granted = GroupCollectionPermission.objects.filter(
        group=organization.group, permission__codename="choose_image", collection__name=_collection_name(organization)
    ).select_related("collection")
    if found := granted.first():
        return found.collection
    root = Collection.get_first_root_node()
    collection = root.add_child(name=_collection_name(organization))
    for permission in Permission.objects.filter(
        content_type__app_label__in=["wagtailimages", "wagtaildocs"], codename__in=["choose_image", "choose_document"]
    ):
        GroupCollectionPermission.objects.create(group=organization.group, collection=collection, permission=permission)
    return collection


def _collection_name(organization: Organization) -> str:
    return f"{organization.name[:200]} ({organization.pk})"


def _collections(organization: Organization, codename: str) -> QuerySet[Collection]:
    """Collections of the grants of ``organization``'s group, with what lies below them."""
    if organization.group_id is None:
        return Collection.objects.none()
    roots = Collection.objects.filter(
        group_permissions__group=organization.group_id, group_permissions__permission__codename=codename
    ).values_list("path", flat=True)
    below = Q(pk__in=[])
    for path in roots:
        below |= Q(path__startswith=path)
    return Collection.objects.filter(below)
