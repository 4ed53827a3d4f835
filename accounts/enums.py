"""States and choices of the accounts app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class OrganizationKind(models.TextChoices):
    """Place in the chain."""

    VENDOR = "vendor", _("Vendor")
    DISTRIBUTOR = "distributor", _("Distributor")
    RESELLER = "reseller", _("Reseller")


class LinkStatus(models.TextChoices):
    """State of one network link. Only an active link carries cascades."""

    INVITED = "invited", _("Invited")
    ACTIVE = "active", _("Active")
    PAUSED = "paused", _("Paused")
    ENDED = "ended", _("Ended")


class Role(models.TextChoices):
    """What a member may do in their organization: an owner manages people, a manager sends, a member reads and acts."""

    OWNER = "owner", _("Owner")
    MANAGER = "manager", _("Manager")
    MEMBER = "member", _("Member")


MANAGING_ROLES = frozenset({Role.OWNER, Role.MANAGER})


class Function(models.TextChoices):
    """A contact's work at the reseller."""

    OWNER = "owner", _("Owner")
    SALES = "sales", _("Sales")
    MARKETING = "marketing", _("Marketing")
    TECHNICAL = "technical", _("Technical")
    PURCHASING = "purchasing", _("Purchasing")
    OTHER = "other", _("Other")


class AddressState(models.TextChoices):
    """Deliverability of one address, whoever mails it."""

    OK = "ok", _("Deliverable")
    BOUNCED = "bounced", _("Bounced")
    COMPLAINED = "complained", _("Complained")


class Topic(models.TextChoices):
    """What a message is about; a person may refuse one topic and keep the others."""

    NEWS = "news", _("News and announcements")
    EVENTS = "events", _("Events")
    TRAINING = "training", _("Training")
    CAMPAIGNS = "campaigns", _("Campaigns")


class ConsentBasis(models.TextChoices):
    """Why a person may be mailed (GDPR Art. 6; UWG § 7 (3) for existing customers)."""

    CONSENT = "consent", _("The person agreed")
    CUSTOMER = "customer", _("Existing business customer")
    CONTRACT = "contract", _("Partner contract")
    MEMBERSHIP = "membership", _("Signed up to the portal")


class SuppressionScope(models.TextChoices):
    """How far a refusal reaches."""

    SENDER = "sender", _("This sender")
    TOPIC = "topic", _("This topic")
    GLOBAL = "global", _("Everything")


class SuppressionReason(models.TextChoices):
    """What caused a suppression."""

    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    BOUNCED = "bounced", _("Bounced")
    COMPLAINED = "complained", _("Marked as spam")
    BY_HAND = "by_hand", _("Entered by hand")
    ERASED = "erased", _("Erased on request")


class DomainState(models.TextChoices):
    """Proof that a brand may use its own domain in From."""

    UNVERIFIED = "unverified", _("Not verified")
    VERIFIED = "verified", _("Verified")
    DEGRADED = "degraded", _("No longer verified")


class ImportState(models.TextChoices):
    """An import's life: nothing is written before it is confirmed."""

    UPLOADED = "uploaded", _("Columns to check")
    CHECKING = "checking", _("Checking")
    CHECKED = "checked", _("Ready to confirm")
    RUNNING = "running", _("Importing")
    DONE = "done", _("Imported")
    FAILED = "failed", _("Failed")
    DISCARDED = "discarded", _("Discarded")


WORKING_IMPORT_STATES = frozenset({ImportState.CHECKING, ImportState.RUNNING})
OPEN_IMPORT_STATES = frozenset({ImportState.UPLOADED, ImportState.CHECKING, ImportState.CHECKED, ImportState.RUNNING})


class RowOutcome(models.TextChoices):
    """What an import does, or did, with one row of its file."""

    CREATED = "created", _("New")
    CHANGED = "changed", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
    REFUSED = "refused", _("Refused")


class DoubtReason(models.TextChoices):
    """Why two resellers may be one."""

    SAME_NAME = "same_name", _("Same country and name")
    SAME_DOMAIN = "same_domain", _("Same country and e-mail domain")


class DoubtState(models.TextChoices):
    """What the vendor decided about a doubt."""

    OPEN = "open", _("To decide")
    APART = "apart", _("Two resellers")
    SAME = "same", _("One reseller")
