"""A folder that an export owns: written all or nothing, and replaced by the next one.

A folder that holds anything else is never touched.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from lrlab.errors import ResultsError
from lrlab.io import atomic, reading

MARKER = "lrlab-export.json"


def write(target: Path, to: str, contents: Mapping[str, bytes]) -> list[Path]:
    """Write the files of an export, in place of those of an earlier one; return them.

    Args:
        target: The folder.
        to: What the export is for.
        contents: What each file holds, by its path in the folder.

    Raises:
        ResultsError: If the folder holds files that no export has written, or cannot be written.
    """
    if reading.exists(target) and (strange := next(_strange(target), None)) is not None:
        raise ResultsError(
            f"holds `{strange}`, which no `lrlab export --to {to}` has written",
            "name a new or an empty folder",
            path=target,
        )
    marker = json.dumps({"made_by": "lrlab export", "to": to, "files": sorted(contents)}, indent=1)
    atomic.write_folder(target, {**contents, MARKER: f"{marker}\n".encode()})
    return [target / name for name in contents]


def _strange(target: Path) -> Iterator[str]:
    """Yield what lies in a folder that an export has not written."""
    known = {MARKER, *_written(target / MARKER)}
    if not reading.is_folder(target):
        yield target.name
        return
    for path in sorted(target.rglob("*")):
        name = path.relative_to(target).as_posix()
        if path.is_symlink() or (not path.is_dir() and name not in known):
            yield name


def _written(marker: Path) -> list[str]:
    try:
        stated = json.loads(reading.read_bytes(marker, 10_000_000))
    except (OSError, ValueError):
        return []
    files = stated.get("files") if isinstance(stated, dict) else None
    return [name for name in files if isinstance(name, str)] if isinstance(files, list) else []
