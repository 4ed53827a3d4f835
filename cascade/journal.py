"""What a process did since its last write to the database, in a local file.

Before a message may be accepted, one small record is written, and one after the reply; no fsync. When a process is
killed and its machine lives on, the file is complete, and of a whole write-ahead window only the one message that was
in the air stays unconfirmed. It is believed only when its process is *proven* dead: same machine, same boot, same
process namespace, and the process id is gone or belongs to a process that started at another time.
"""

from __future__ import annotations

import hashlib
import os
import socket
import struct
import threading
from functools import cache
from pathlib import Path

from django.conf import settings

from cascade.transport import Outcome

_RECORD = struct.Struct("<qqIHB")  # delivery, chunk, epoch, code, kind
_STARTED = 0
_KINDS = {outcome: number for number, outcome in enumerate(Outcome, start=1)}
_OUTCOMES = {number: outcome for outcome, number in _KINDS.items()}


@cache
def _machine() -> str:
    """This boot of this machine and process namespace, as 12 hex digits; empty where that cannot be known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
    return hashlib.sha256(f"{socket.gethostname()}|{boot}|{namespace}".encode()).hexdigest()[:12]


def _start_time(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def owner_name() -> str:
    """The name under which this thread leases: machine, process, its start, and thread."""
    pid = os.getpid()
    return f"{_machine()}-{pid}-{_start_time(pid)}-{threading.get_native_id()}"


def is_proven_dead(owner: str) -> bool:
    """Whether the process that leased as ``owner`` certainly lives no more. False if that cannot be known."""
    parts = owner.split("-")
    if len(parts) != 4 or not parts[0] or not parts[2] or parts[0] != _machine() or not parts[1].isdigit():
        return False
    return _start_time(int(parts[1])) != parts[2]


def _path(owner: str) -> Path:
    return Path(settings.VAR_DIR) / "journal" / f"{owner}.bin"


class Journal:
    """The file of one owner, for the chunk it holds."""

    def __init__(self, owner: str) -> None:
        path = _path(owner)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def begin(self) -> None:
        """Forget the chunk before: it is settled."""
        os.ftruncate(self._file, 0)

    def started(self, delivery: int, chunk: int, epoch: int) -> None:
        """Note that a message may leave now."""
        os.write(self._file, _RECORD.pack(delivery, chunk, epoch, 0, _STARTED))

    def replied(self, delivery: int, chunk: int, epoch: int, outcome: Outcome, code: int) -> None:
        """Note what the relay said."""
        os.write(self._file, _RECORD.pack(delivery, chunk, epoch, code, _KINDS[outcome]))

    def close(self) -> None:
        """Remove the file; call it when nothing is leased."""
        os.close(self._file)
        self._path.unlink(missing_ok=True)


def read(owner: str, chunk: int, epoch: int) -> dict[int, tuple[Outcome | None, int]] | None:
    """What a dead owner noted of a chunk, by delivery: its outcome (None: in the air) and the reply's code.

    None if the file is not there or its process is not proven dead: then nothing may be concluded from it.
    """
    if not is_proven_dead(owner):
        return None
    try:
        data = _path(owner).read_bytes()
    except OSError:
        return None
    noted: dict[int, tuple[Outcome | None, int]] = {}
    for offset in range(0, len(data) - _RECORD.size + 1, _RECORD.size):
        delivery, of_chunk, of_epoch, code, kind = _RECORD.unpack_from(data, offset)
        if (of_chunk, of_epoch) == (chunk, epoch):
            noted[delivery] = (_OUTCOMES.get(kind), code)
    return noted


def forget(owner: str) -> None:
    """Remove the file of a dead owner whose chunks are settled."""
    _path(owner).unlink(missing_ok=True)
