"""The supervisor: ready means ready, the dead come back, and nothing outlives the end."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from config.stack.supervisor import Child, NotReady, StopRequested, Supervisor
from config.stack.tether import tethered

# A child that starts a grandchild, writes both process ids, and then sleeps; with "deaf" both ignore SIGTERM.
FAMILY = """
import os, signal, subprocess, sys, time
path, deaf = sys.argv[1], sys.argv[2:] == ["deaf"]
if deaf:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
with open(path + ".draft", "w") as file:
    file.write(f"{os.getpid()} {grandchild.pid}")
os.rename(path + ".draft", path)
time.sleep(60)
"""


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_until(condition, seconds=10.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


@pytest.fixture
def pids(tmp_path):
    """A file that the family of processes writes."""
    return tmp_path / "pids"


@pytest.fixture
def child(tmp_path, pids):
    made = Child("family", [sys.executable, "-c", FAMILY, str(pids)], pids.exists, tmp_path / "log" / "family.log", {})
    yield made
    made.send(signal.SIGKILL)
    if made.process is not None:
        made.process.wait()


def family(pids) -> list[int]:
    return [int(pid) for pid in pids.read_text().split()]


def test_stop_when_children_run_leaves_nobody(child, pids):
    supervisor = Supervisor([child])
    supervisor.start()
    supervisor.wait_ready()
    started = time.monotonic()
    supervisor.stop()
    assert time.monotonic() - started < 4
    wait_until(lambda: not any(is_alive(pid) for pid in family(pids)))


def test_stop_when_a_child_is_deaf_kills_it_and_what_it_started(child, pids, monkeypatch):
    monkeypatch.setattr("config.stack.supervisor.STOP_SECONDS", 0.5)
    child.argv = [*child.argv, "deaf"]
    supervisor = Supervisor([child])
    supervisor.start()
    supervisor.wait_ready()
    supervisor.stop()
    wait_until(lambda: not any(is_alive(pid) for pid in family(pids)))


def test_keep_alive_when_a_child_was_killed_restarts_it_and_ends_what_it_left(child, pids):
    supervisor = Supervisor([child])
    supervisor.start()
    supervisor.wait_ready()
    first, left_behind = family(pids)
    pids.unlink()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: child.keep_alive() or pids.exists())
    assert family(pids)[0] != first
    assert is_alive(family(pids)[0])
    wait_until(lambda: not is_alive(left_behind))
    supervisor.stop()


def test_keep_alive_when_a_child_dies_again_and_again_waits_longer(child, monkeypatch):
    child.argv = [sys.executable, "-c", "raise SystemExit(3)"]
    waits = []
    for _ in range(4):
        child.start()
        child.process.wait()
        child.keep_alive()
        waits.append(round(child.restart_at - time.monotonic(), 1))
    assert waits == [0.5, 1.0, 2.0, 4.0]


def test_wait_ready_when_a_child_dies_shows_what_it_printed_this_time(child):
    child.log.parent.mkdir()
    child.log.write_text("an older run\n")
    child.argv = [sys.executable, "-c", "print('no such table'); raise SystemExit(1)"]
    supervisor = Supervisor([child])
    supervisor.start()
    with pytest.raises(NotReady) as failed:
        supervisor.wait_ready()
    assert str(failed.value) == "family stopped while starting:\nno such table"


def test_signals_when_interrupted_asks_to_stop_and_a_second_one_hurries(child):
    supervisor = Supervisor([])
    with pytest.raises(StopRequested), supervisor.signals():
        signal.raise_signal(signal.SIGINT)
    with supervisor.signals():
        signal.raise_signal(signal.SIGINT)
    assert supervisor.is_impatient
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_run_when_the_parent_is_gone_stops():
    with pytest.raises(StopRequested):
        Supervisor([], parent=1 if os.getppid() != 1 else 2).run()


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's promise is Linux'")
def test_tether_when_the_parent_is_killed_ends_the_command(pids):
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import subprocess, sys; from config.stack.tether import tethered;"
            "subprocess.run(tethered([sys.executable, '-c', sys.argv[1], sys.argv[2]]))",
            FAMILY,
            str(pids),
        ]
    )
    wait_until(pids.exists)
    child, grandchild = family(pids)
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_alive(child))
    os.kill(grandchild, signal.SIGKILL)  # not ours to promise: a real child ends its own


def test_tether_when_the_kernel_cannot_watches_instead(pids, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, subprocess, sys\n"
        "from config.stack import tether\n"
        "if os.fork() == 0:\n"
        "    raise SystemExit(tether.watch(os.getppid(), [sys.executable, '-c', sys.argv[1], sys.argv[2]]))\n"
        "os.wait()\n"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    parent = subprocess.Popen([sys.executable, str(script), FAMILY, str(pids)], env=environment)
    wait_until(pids.exists)
    child, grandchild = family(pids)
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_alive(child))
    os.kill(grandchild, signal.SIGKILL)


def test_tethered_when_the_command_ends_passes_on_its_exit_code():
    assert subprocess.run(tethered([sys.executable, "-c", "raise SystemExit(7)"]), check=False).returncode == 7
