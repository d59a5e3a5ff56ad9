"""`pixel events`: sign the sample events anew."""

from __future__ import annotations

import json

from tools.pixel.console import counted, print_line
from tools.sandbox import samples


def command() -> None:
    """Sign the sample events anew, after a change to one."""
    written = samples.http_samples()
    for name, sample in written.items():
        text = json.dumps(sample, indent=2) + "\n"
        (samples.EVENTS / f"{name}.json").write_text(text, encoding="utf-8")
    print_line(f"{counted(len(written), 'file')} written to {samples.EVENTS.name}/")
