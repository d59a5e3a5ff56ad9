"""The main job on embedded defaults: every sample through the real handler (`make run`)."""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import redirect_stdout
from typing import Any

from tools.sandbox import samples
from tools.sandbox.application import environment, forward_application, put_parameters
from tools.sandbox.aws import AwsSandbox
from tools.sandbox.tiktok import TikTokSandbox

SHOWN = "place-an-order"


def main() -> int:
    """Run, print the table, and return 1 where a sample did not end as it should."""
    with TikTokSandbox() as tiktok, AwsSandbox() as aws:
        put_parameters(aws)
        rows = []
        with (
            # The table alone: log lines and metrics go where CloudWatch would read them.
            redirect_stdout(io.StringIO()),
            forward_application(environment(tiktok.url, aws.url)) as application,
        ):
            for name in samples.names():
                started = time.perf_counter()
                answer = application.post(samples.read(samples.SIGNED + name))
                took = (time.perf_counter() - started) * 1000
                rows.append((name, answer.status, answer.row, took))
        sent = {event_id: one.parsed for one in tiktok.requests for event_id in one.event_ids}
    print_table(rows)
    print(f"\nTikTok has {len(sent)} events. The request for events/{SHOWN}.json:\n")
    print(json.dumps(sent.get(f"sample-{SHOWN}"), indent=2))
    expected = {f"sample-{name}" for name in (*samples.MAPPED, "partly-unusable")}
    return 0 if set(sent) == expected else 1


def print_table(rows: list[tuple[str, int, dict[str, Any], float]]) -> None:
    """One line for each sample."""
    cells = [("sample", "Segment event", "TikTok event", "HTTP", "outcome", "reason", "ms")]
    for name, status, row, took in rows:
        sample = samples.read(name)
        cells.append(
            (
                name,
                f"{sample['type']} {sample.get('event', '')}".strip(),
                row["event"] or "-",
                str(status),
                row["status"],
                row["reason"],
                f"{took:.1f}",
            )
        )
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    for number, line in enumerate(cells):
        texts = [text.ljust(width) for text, width in zip(line, widths, strict=True)]
        print("  ".join(texts).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


if __name__ == "__main__":
    sys.exit(main())
