"""One measurement in one process: ``python -m bench.wave RECIPIENTS DJANGO_MESSAGES``. See ``bench.__main__``."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402  # like all below: apps are loaded only now
from django.core.mail import EmailMultiAlternatives, get_connection  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from bench.world import due_wave  # noqa: E402
from cascade import compose, counters, engine, waves  # noqa: E402
from cascade.enums import DeliveryState  # noqa: E402
from cascade.models import Delivery, Wave  # noqa: E402
from cascade.transport import SMTPTransport  # noqa: E402


@contextmanager
def sink(log: Path) -> Iterator[tuple[int, list[float]]]:
    """A sink process; yields its port, and a list that holds its CPU seconds once it has ended."""
    process = subprocess.Popen([sys.executable, "-m", "bench.sink", str(log)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    cpu: list[float] = []
    try:
        yield int(process.stdout.readline()), cpu
    finally:
        process.send_signal(signal.SIGTERM)
        cpu.append(float(process.stdout.readline() or 0))
        process.wait(10)


def memory() -> float:
    """Peak of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def send_with_django(wave: Wave, port: int, count: int) -> float:
    """Messages per second of ``send_messages`` on one connection, building each message included."""
    content = wave.contents.get()
    backend = get_connection("django.core.mail.backends.smtp.EmailBackend", host="127.0.0.1", port=port)
    rows = list(Delivery.objects.filter(wave=wave)[:count])
    started = time.perf_counter()
    backend.open()
    for row in rows:
        values = compose.values(compose.Recipient(row.pk, row.email, row.name, row.company))
        slots = compose.Slots(content.headers["nonce"])
        message = EmailMultiAlternatives(
            content.subject,
            slots.fill(content.text, values),
            settings.DEFAULT_FROM_EMAIL,
            [row.email],
            headers={"Message-ID": f"<django.{row.pk}@portal.example>", "List-Unsubscribe-Post": "One-Click"},
        )
        message.attach_alternative(slots.fill_html(content.html, values), "text/html")
        backend.send_messages([message])
    backend.close()
    return len(rows) / (time.perf_counter() - started)


def differences(wave: Wave, log: Path) -> list[str]:
    """How the sink's log and our rows differ; empty when every row is exact."""
    logged = [line.split() for line in log.read_text().splitlines() if " <django." not in line]
    accepted = Counter((recipient, message_id) for recipient, message_id in logged)
    rows = Delivery.objects.filter(wave=wave, state=DeliveryState.SENT).values_list("pk", "email")
    domain = wave.contents.get().headers["domain"]
    ours = {(email, f"<{compose.message_id(pk)}@{domain}>") for pk, email in rows.iterator()}
    found = []
    if twice := sum(1 for times in accepted.values() if times > 1):
        found.append(f"{twice} accepted more than once")
    if missing := len(ours - accepted.keys()):
        found.append(f"{missing} marked as sent but not accepted")
    if unknown := len(accepted.keys() - ours):
        found.append(f"{unknown} accepted but not marked as sent")
    wave.refresh_from_db()
    if wave.frozen_count != len(ours):
        found.append(f"{wave.frozen_count} frozen, {len(ours)} sent")
    if counted := counters.differences(wave.hop):
        found.append(f"counters differ from a recount: {counted}")
    return found


def main(count: int, django_count: int) -> int:
    """Measure and print; the exit code says whether log and rows agree."""
    call_command("migrate", verbosity=0)
    wave = due_wave(count)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as a database that is in use would have done by itself
    log = Path(settings.VAR_DIR) / "sink.log"
    before = memory()
    with sink(log) as (port, cpu):
        started = time.perf_counter()
        waves.freeze_due()
        frozen = time.perf_counter()
        engine.work_off(transport=SMTPTransport("127.0.0.1", port))
        ended = time.perf_counter()
        peak = memory()
        django_rate = send_with_django(wave, port, django_count) if django_count else 0.0
    rate = count / (ended - frozen)
    size = len(compose.compose(wave, "en").render(compose.values(compose.Recipient(1, "a@b.example", "A", "B"))))
    print(f"  freeze            {count / (frozen - started):>10,.0f} rows/s")
    print(f"  send              {rate:>10,.0f} messages/s of {size / 1000:.0f} kB, 1 process, 1 connection")
    print(f"  freeze to done    {count / (ended - started):>10,.0f} messages/s")
    if django_rate:
        print(f"  Django's own      {django_rate:>10,.0f} messages/s ({django_count} messages, 1 connection)")
        print(f"  ratio             {rate / django_rate:>10,.1f} ×")
    print(f"  peak memory       {peak:>10,.0f} MB ({peak - before:+.0f} MB while freezing and sending)")
    print(f"  sink              {1e6 * cpu[0] / (count + django_count):>10,.0f} µs CPU per message")
    found = differences(wave, log)
    print(f"  log against rows  {'equal, row by row' if not found else '; '.join(found)}")
    connection.close()
    return 1 if found else 0


if __name__ == "__main__":
    code = main(int(sys.argv[1]), int(sys.argv[2]))
    sys.stdout.flush()
    sys.exit(code)
