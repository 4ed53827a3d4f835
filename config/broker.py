"""The embedded broker: kombu's folder of messages, except that a message appears whole or not at all.

kombu writes a message under its final name, and a worker that looks at that moment reads half of it and ends. A name
that no worker looks for, then a rename (atomic within a folder, POSIX), closes that gap.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from time import monotonic_ns
from typing import Any

from kombu.exceptions import ChannelError
from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """Writes whole messages."""

    def _put(self, queue: str, payload: dict[str, Any], **kwargs: Any) -> None:  # type: ignore[override]
        name = f"{monotonic_ns() // 1_000_000}_{uuid.uuid4()}.{queue}.msg"
        part = Path(self.data_folder_out, f".{name}.part")
        try:
            part.write_text(dumps(payload))
            os.replace(part, Path(self.data_folder_out, name))
        except OSError as error:
            raise ChannelError(f"Cannot add a message to {self.data_folder_out}") from error


class Transport(filesystem.Transport):
    """``filesystem://`` with whole messages."""

    Channel = Channel


def install() -> None:
    """Make ``filesystem://`` addresses use this transport."""
    TRANSPORT_ALIASES["filesystem"] = "config.broker:Transport"
