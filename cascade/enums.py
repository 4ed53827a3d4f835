"""States and choices of the cascade app."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Tier(models.IntegerChoices):
    """Place of a hop's recipients in the chain."""

    DISTRIBUTORS = 1, _("Vendor to distributors")
    RESELLERS = 2, _("Distributor to resellers")


class Goal(models.TextChoices):
    """What counts as done."""

    READ = "read", _("Read")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    REGISTERED = "registered", _("Registered")
    ATTENDED = "attended", _("Attended")
    PASSED = "passed", _("Passed")
    LAUNCHED = "launched", _("Launched")


class GoalScope(models.TextChoices):
    """Who at a reseller must reach the goal before the reseller counts as done."""

    ANYONE = "anyone", _("Anyone at the reseller")
    FUNCTION = "function", _("Anyone in a named function")
    EVERYONE = "everyone", _("Every contact")


class CascadeState(models.TextChoices):
    """Life of a release."""

    DRAFT = "draft", _("Draft")
    OPEN = "open", _("Open")
    CLOSED = "closed", _("Closed")
    RECALLED = "recalled", _("Recalled")


class HopState(models.TextChoices):
    """Human decisions only; scheduled, sending, sent and overdue are derived."""

    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    RECALLED = "recalled", _("Recalled")


class WaveKind(models.TextChoices):
    """Why a wave is sent."""

    INITIAL = "initial", _("First sending")
    LATE_JOINERS = "late_joiners", _("Late joiners")
    REMINDER = "reminder", _("Reminder")
    CORRECTION = "correction", _("Correction")


CLAIMING_KINDS = frozenset({WaveKind.INITIAL, WaveKind.LATE_JOINERS})  # these bring the item: one per person


class WaveState(models.TextChoices):
    """Life of one sending."""

    DRAFT = "draft", _("Draft")
    SCHEDULED = "scheduled", _("Scheduled")
    FROZEN = "frozen", _("Ready to leave")
    SENDING = "sending", _("Sending")
    PAUSED = "paused", _("Paused")
    DONE = "done", _("Sent")
    CANCELLED = "cancelled", _("Cancelled")


LIVE_WAVE_STATES = frozenset({WaveState.SCHEDULED, WaveState.FROZEN, WaveState.SENDING, WaveState.PAUSED})


class DeliveryState(models.TextChoices):
    """What is known of one message to one person."""

    QUEUED = "queued", _("Waiting")
    RETRYING = "retrying", _("Will be tried again")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    UNCONFIRMED = "unconfirmed", _("Unconfirmed")
    COVERED = "covered", _("Covered")
    SUPPRESSED = "suppressed", _("Not mailed")
    CANCELLED = "cancelled", _("Cancelled")


PENDING_STATES = frozenset({DeliveryState.QUEUED, DeliveryState.RETRYING})


class Exclusion(models.TextChoices):
    """Why somebody the audience names is not mailed."""

    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")
    BOUNCED = "bounced", _("Address bounced")
    COMPLAINED = "complained", _("Marked as spam before")
    NO_CONSENT = "no_consent", _("No consent on record")
    BY_HAND = "by_hand", _("Blocked by hand")
    INACTIVE = "inactive", _("No longer there")


class Evidence(models.TextChoices):
    """Later news about a message that left."""

    NONE = "", _("None yet")
    DELIVERED = "delivered", _("Delivered")
    BOUNCED = "bounced", _("Bounced")
    COMPLAINED = "complained", _("Marked as spam")


class ChunkState(models.TextChoices):
    """A chunk's life: whoever holds the lease, or the reaper, may change its rows."""

    READY = "ready", _("Ready")
    LEASED = "leased", _("Leased")
    DONE = "done", _("Done")


class LedgerKind(models.TextChoices):
    """Hop steps and acts of people; delivery facts stay in Delivery."""

    RELEASED = "released", _("Released")
    OFFERED = "offered", _("Offered")
    ACCEPTED = "accepted", _("Accepted")
    DECLINED = "declined", _("Declined")
    WITHDRAWN = "withdrawn", _("Decision taken back")
    ADAPTED = "adapted", _("Adapted")
    SCHEDULED = "scheduled", _("Scheduled")
    WAVE_SENT = "wave_sent", _("Sent")
    PAUSED = "paused", _("Paused")
    RESUMED = "resumed", _("Resumed")
    CANCELLED = "cancelled", _("Cancelled")
    NUDGED = "nudged", _("Nudged")
    EXTENDED = "extended", _("Due date moved")
    WIDENED = "widened", _("Distributors added")
    CLOSED = "closed", _("Closed")
    RECALLED = "recalled", _("Recalled")
    READ = "read", _("Read")
    ACKNOWLEDGED = "acknowledged", _("Acknowledged")
    REGISTERED = "registered", _("Registered")
    ATTENDED = "attended", _("Attended")
    PASSED = "passed", _("Passed")
    LAUNCHED = "launched", _("Launched")
    UNSUBSCRIBED = "unsubscribed", _("Unsubscribed")


class CounterName(models.TextChoices):
    """What is counted per hop; each always equals a recount of the facts."""

    RESELLERS = "resellers", _("Resellers given the item")
    RESELLERS_DONE = "resellers_done", _("Resellers done")
    PEOPLE_DONE = "people_done", _("People done")
    FROZEN = "frozen", _("People named")
    SENT = "sent", _("Messages sent")
    FAILED = "failed", _("Messages failed")
    UNCONFIRMED = "unconfirmed", _("Messages unconfirmed")
    SUPPRESSED = "suppressed", _("People not mailed")
    COVERED = "covered", _("People covered")
    CANCELLED = "cancelled", _("Messages cancelled")
    BOUNCED = "bounced", _("Messages bounced")


class OutboxState(models.TextChoices):
    """A transactional message's life."""

    QUEUED = "queued", _("Waiting")
    SENT = "sent", _("Sent")
    FAILED = "failed", _("Failed")
    UNCONFIRMED = "unconfirmed", _("Unconfirmed")
