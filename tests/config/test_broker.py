"""The folder of messages: never half a message, whoever looks and whenever."""

from __future__ import annotations

import threading
from pathlib import Path

from kombu import Connection

from config import broker


def test_reader_never_sees_half_a_message(tmp_path: Path):
    broker.install()
    folders = {"data_folder_in": tmp_path / "m", "data_folder_out": tmp_path / "m", "control_folder": tmp_path / "c"}
    folders["data_folder_in"].mkdir()
    options = {name: str(path) for name, path in folders.items()} | {"polling_interval": 0.001}
    body = {"text": "x" * 200_000}  # large enough that a plain write takes several steps
    received: list[dict[str, str]] = []

    def read() -> None:
        with Connection("filesystem://localhost", transport_options=options) as connection:
            queue = connection.SimpleQueue("bell")
            while len(received) < 40:
                message = queue.get(timeout=20)
                received.append(message.payload)
                message.ack()

    reader = threading.Thread(target=read)
    reader.start()
    with Connection("filesystem://localhost", transport_options=options) as connection:
        queue = connection.SimpleQueue("bell")
        for _number in range(40):
            queue.put(body)
    reader.join(timeout=30)
    assert received == [body] * 40
    assert list(folders["data_folder_in"].iterdir()) == []
