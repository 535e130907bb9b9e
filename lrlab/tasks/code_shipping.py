"""A user's code on its way to another machine: its files, loaded there from a folder of their own.

Consent travels with it: only code that may run here is ever sent.
"""

import atexit
import functools
import hashlib
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from lrlab.tasks.code import CodeReference


def packed(files: Mapping[str, Path]) -> tuple[tuple[str, bytes], ...]:
    """Return what files hold, by their path below the folder of the code."""
    return tuple((name, path.read_bytes()) for name, path in sorted(files.items()))


def unpacked(reference: CodeReference, contents: tuple[tuple[str, bytes], ...]) -> CodeReference:
    """Return a reference to the same function, or model, in a folder of this process.

    Args:
        reference: What it was referred to as on the machine that it comes from.
        contents: Its files.
    """
    folder = _unpacked(contents)
    if isinstance(reference.origin, Path):
        return replace(reference, origin=folder / reference.origin.name)
    return reference


def folder_of(contents: tuple[tuple[str, bytes], ...]) -> Path:
    """Return the folder that files were unpacked into; equal ones share it."""
    return _unpacked(contents)


@functools.cache
def _unpacked(contents: tuple[tuple[str, bytes], ...]) -> Path:
    folder = _home() / hashlib.sha256(repr(contents).encode()).hexdigest()[:16]
    for name, content in contents:
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"`{name}` leads out of its folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


@functools.cache
def _home() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="lrlab-code-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
