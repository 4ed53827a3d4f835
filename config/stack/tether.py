"""Runs a command that ends when the process that started it ends, however that happens.

``python tether.py PARENT_PID COMMAND…``: on Linux the kernel keeps the promise and this process becomes the command;
elsewhere it stays and watches. Started by its path, so that it loads nothing of the project and costs milliseconds.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def tethered(argv: Sequence[str]) -> list[str]:
    """The command line that runs ``argv`` tethered to this process."""
    return [sys.executable, __file__, str(os.getpid()), *argv]


def die_with_parent() -> bool:
    """Ask the kernel for SIGTERM when the parent dies; survives exec. False where the kernel cannot."""
    if not sys.platform.startswith("linux"):
        return False
    return ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM) == 0


def watch(parent: int, argv: Sequence[str]) -> int:
    """Run ``argv`` until it ends or ``parent`` is gone. Returns its exit code."""
    command = subprocess.Popen(argv)

    def pass_on(number: int, frame: FrameType | None) -> None:
        command.send_signal(number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, pass_on)
    while command.poll() is None and os.getppid() == parent:
        with contextlib.suppress(subprocess.TimeoutExpired):
            command.wait(0.5)
    if command.poll() is None:
        command.terminate()
        time.sleep(0.1)
    return command.wait()


def main() -> NoReturn:
    """Become the command, or watch over it."""
    parent, argv = int(sys.argv[1]), sys.argv[2:]
    if not die_with_parent():
        sys.exit(watch(parent, argv))
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    os.execvp(argv[0], argv)


if __name__ == "__main__":
    main()
