"""Print the SHA-256 of the package and the mapping files: ``python build_hash.py``.

The build of the layer stores it as `build.txt` beside the package, and the endpoint shows it to
authenticated callers, so that `pixel check` can compare the deployed build with the source. It
needs the standard library only.
"""

# ruff: noqa: T201 - a command prints

from __future__ import annotations

import hashlib
from pathlib import Path


def build_hash(folder: Path = Path(__file__).parent) -> str:
    """Return the SHA-256 of the package and the mapping files in a folder, as hex digits."""
    package = (path for path in folder.glob("tiktok_pixel/**/*") if "__pycache__" not in path.parts)
    files = [*package, *folder.glob("mappings/*.json")]
    digest = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file()):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


if __name__ == "__main__":
    print(build_hash())
