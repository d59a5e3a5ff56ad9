"""Mapping files: read, format, compare and save them.

A mapping file is an array of presets, or an object with that array as `presets`; saving keeps that
and the other keys. What Segment's Public API returns is saved as an array of presets. The
formatting is that of the files in this repository.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tiktok_pixel.mapping.files import find_presets
from tools.studio.draft import in_own_format

_WIDTH: Final = 100
_INDENT: Final = "  "


class MappingFileError(Exception):
    """A mapping file cannot be read or saved; the message says why."""


class ConflictError(MappingFileError):
    """The file changed after it was read; saving would overwrite that change."""


@dataclass(frozen=True, slots=True)
class MappingFile:
    """A mapping file as it was read.

    Attributes:
        path: Where it is.
        text: What it holds, or None when it does not exist.
        presets: Its presets, each as parsed.
        around: The object around the presets, or None when the file is an array.
    """

    path: Path
    text: str | None
    presets: tuple[Any, ...]
    around: dict[str, Any] | None = None


def read_mapping_file(path: Path) -> MappingFile:
    """Read a mapping file.

    Raises:
        MappingFileError: The file cannot be read or is not a list of presets.
    """
    text = _read(path)
    if text is None:
        raise MappingFileError(f"{path}: no such file")
    presets, around = parse_presets(text, str(path))
    return MappingFile(path, text, presets, around)


def new_mapping_file(path: Path) -> MappingFile:
    """Return a mapping file without presets that is not saved yet."""
    return MappingFile(path, None, ())


def parse_presets(text: str, source: str) -> tuple[tuple[Any, ...], dict[str, Any] | None]:
    """Parse the text of a mapping file.

    Raises:
        MappingFileError: The text is not JSON or not a list of presets.
    """
    try:
        content = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise MappingFileError(f"{source}: not JSON: {error}") from error
    presets, _ = find_presets(content)
    if presets is None:
        raise MappingFileError(
            f'{source}: must be an array of presets, or an object with "presets"'
        )
    around = content if isinstance(content, dict) and content.get("presets") is presets else None
    return tuple(map(in_own_format, presets)), around


def mapping_text(file: MappingFile, presets: tuple[Any, ...]) -> str:
    """Return the text of a mapping file with these presets."""
    content: Any = list(presets)
    if file.around is not None:
        content = {**file.around, "presets": content}
    return format_json(content) + "\n"


def difference(file: MappingFile, presets: tuple[Any, ...]) -> str:
    """Return what saving these presets changes in the file, as a unified diff; empty if nothing."""
    before = (file.text or "").splitlines()
    after = mapping_text(file, presets).splitlines()
    lines = difflib.unified_diff(before, after, file.path.name, file.path.name, lineterm="")
    return "\n".join(lines)


def save(file: MappingFile, presets: tuple[Any, ...]) -> MappingFile:
    """Save presets to a mapping file and return the file as it is now.

    The new content is written beside the file and moved into place, so that a reader sees either
    the old file or the new one.

    Raises:
        ConflictError: The file is not as it was when it was read.
        MappingFileError: The file cannot be written.
    """
    if _read(file.path) != file.text:
        raise ConflictError(f"{file.path.name} was changed by another program after it was opened")
    text = mapping_text(file, presets)
    try:
        _replace(file.path, text)
    except OSError as error:
        raise MappingFileError(f"{file.path}: {error.strerror}") from error
    return MappingFile(file.path, text, presets, file.around)


def restore(saved: MappingFile, before: MappingFile) -> MappingFile:
    """Undo a save: put the file back as it was before, and return it.

    Raises:
        ConflictError: The file was changed after it was saved.
        MappingFileError: The file cannot be written.
    """
    if _read(saved.path) != saved.text:
        raise ConflictError(f"{saved.path.name} was changed by another program after it was saved")
    try:
        if before.text is None:
            saved.path.unlink()
        else:
            _replace(saved.path, before.text)
    except OSError as error:
        raise MappingFileError(f"{saved.path}: {error.strerror}") from error
    return before


def format_json(value: Any, level: int = 0, *, before: int = 0) -> str:
    """Format JSON as the mapping files are: two spaces, and one line for a short flat value.

    Args:
        value: The JSON value.
        level: How deep it stands.
        before: The number of characters before it on its line, without the indentation.
    """
    in_one_line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value:
        return in_one_line
    members = value.values() if isinstance(value, dict) else value
    is_flat = not any(isinstance(member, dict | list) and member for member in members)
    if level and is_flat and len(_INDENT) * level + before + len(in_one_line) < _WIDTH:
        return in_one_line
    outer, inner = _INDENT * level, _INDENT * (level + 1)
    if isinstance(value, dict):
        keys = [json.dumps(key, ensure_ascii=False) + ": " for key in value]
        lines = [
            f"{inner}{key}{format_json(member, level + 1, before=len(key))}"
            for key, member in zip(keys, value.values(), strict=True)
        ]
        return "{\n" + ",\n".join(lines) + f"\n{outer}}}"
    lines = [inner + format_json(member, level + 1) for member in value]
    return "[\n" + ",\n".join(lines) + f"\n{outer}]"


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise MappingFileError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise MappingFileError(f"{path}: not UTF-8") from error


def _replace(path: Path, text: str) -> None:
    # Follow a link: replacing the link itself would leave the linked file unchanged.
    target = path.resolve()
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as temporary:
            # Half a surrogate pair is valid in JSON only as an escape, which this writes.
            temporary.write(text.encode("utf-8", "backslashreplace"))
            temporary.flush()
            os.fsync(temporary.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
