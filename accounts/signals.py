"""What higher layers may want to know; each is sent inside the transaction of the verb."""

from django.dispatch import Signal

# ``keep`` and ``other`` are persons; rows of ``other`` that cannot simply be pointed to ``keep`` must be settled now.
persons_merging = Signal()

# ``person`` is about to be erased, ``addresses`` are its normalized e-mail addresses: blank every copy of them.
person_erasing = Signal()

# The installation has its vendor now; whatever it stands on may be made.
vendor_set_up = Signal()

# ``membership`` is new: somebody joined an organization through an invitation.
member_joined = Signal()
