"""Check mapping files: ``python check_mappings.py FILE…``.

The build of the layer runs this, so that a file that cannot be used stops the build and not the
function. It needs the standard library only. Problems and warnings are one line each: problems on
standard error, warnings on standard output, because `sam build` shows standard error only when it
fails. The exit status is 1 when a file cannot be used.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tiktok_pixel.mapping import MappingError, load_mapping_set
from tiktok_pixel.tiktok import schema


def main(files: Sequence[str]) -> int:
    """Check the files; return 1 when one of them cannot be used, 2 when there is none."""
    # A file may have characters that the terminal cannot show.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    if not files:
        print("usage: python check_mappings.py FILE…", file=sys.stderr)
        return 2
    return max([_check(Path(file)) for file in files])


def _check(file: Path) -> int:
    try:
        mapping_set = load_mapping_set(file, schema)
    except MappingError as error:
        print(error, file=sys.stderr)
        return 1
    for warning in mapping_set.warnings:
        print(f"{file}: warning: {warning}")
    count = len(mapping_set.mappings)
    print(f"{file}: {count} mapping{'s' if count != 1 else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
