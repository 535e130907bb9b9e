"""A disk that forgets, at a power cut, whatever was not synchronised: contents and names alike.

The operations are the real ones; only what a synchronisation promises is noted down. As POSIX has
it, a file's content is safe once the file was synchronised, and a name once its folder was.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

Names = dict[str, int]


class ForgetfulDisk:
    """What is safe of a folder, from its beginning on.

    Attributes:
        unsafe: Files that had their final names before their contents were safe.
    """

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.unsafe: list[str] = []
        self._root = root
        self._safe: dict[int, bytes | Names] = {}
        self._held: list[int] = []
        for folder, _, names in os.walk(root):
            for path in [Path(folder), *(Path(folder) / name for name in names)]:
                self._keep(path)
                self._hold(path)
        self._watch(patch)

    def _watch(self, patch: pytest.MonkeyPatch) -> None:
        real_open, real_mkdir, real_sync = os.open, os.mkdir, os.fsync

        def opened(path, flags, *more, **options):
            new = flags & os.O_CREAT and not os.path.lexists(path)
            descriptor = real_open(path, flags, *more, **options)
            if new:
                self._held.append(os.dup(descriptor))
            return descriptor

        def made(path, *more, **options):
            real_mkdir(path, *more, **options)
            self._held.append(real_open(path, os.O_RDONLY))

        def synced(descriptor):
            real_sync(descriptor)
            self._keep(Path(os.readlink(f"/proc/self/fd/{descriptor}")))

        patch.setattr(os, "open", opened)
        patch.setattr(os, "mkdir", made)
        patch.setattr(os, "fsync", synced)
        for name in ("rename", "replace"):
            patch.setattr(os, name, self._checked(getattr(os, name)))

    def _checked(self, rename):
        """Look after each new name whether the content is safe that it leads to."""

        def renamed(source, target, **options):
            rename(source, target, **options)
            target = Path(target)
            if target.name.endswith((".part", ".whole", ".files")):
                return
            files = [p for p in target.rglob("*") if p.is_file()] if target.is_dir() else [target]
            self.unsafe += [str(f) for f in files if self._safe.get(inode(f)) != f.read_bytes()]

        return renamed

    def _hold(self, path: Path) -> None:
        """Keep a file open, so that no later one gets its number when it is removed."""
        self._held.append(os.open(path, os.O_RDONLY))

    def close(self) -> None:
        """Let all files go."""
        while self._held:
            os.close(self._held.pop())

    def _keep(self, path: Path) -> None:
        if not path.is_relative_to(self._root):
            return
        there = path.lstat()
        if stat.S_ISDIR(there.st_mode):
            self._safe[there.st_ino] = {name: inode(path / name) for name in os.listdir(path)}
        elif stat.S_ISREG(there.st_mode):
            self._safe[there.st_ino] = path.read_bytes()

    def after_power_cut(self) -> dict[str, bytes]:
        """Return the files that are there when the power is back; empty those not synchronised."""
        found = self._found(inode(self._root), Path())
        return {str(path): kept for path, _, kept in found if isinstance(kept, bytes)}

    def cut_power(self) -> None:
        """Leave what is there when the power is back; a name that holds a number gets the new one.

        The disk is closed then.
        """
        found = list(self._found(inode(self._root), Path()))
        self.close()
        for name in os.listdir(self._root):
            path = self._root / name
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        numbers = {}
        for path, number, kept in found:
            if isinstance(kept, bytes):
                (self._root / path).write_bytes(kept)
            else:
                (self._root / path).mkdir()
            numbers[str(number)] = str(inode(self._root / path))
        for path, _, _ in reversed(found):
            name = re.sub(r"\d+(?=\.whole$)", lambda old: numbers.get(old[0], old[0]), path.name)
            (self._root / path).rename(self._root / path.with_name(name))

    def _found(self, folder: int, path: Path) -> Iterator[tuple[Path, int, bytes | Names]]:
        """Yield what is in a folder, each with its number, folders before what is in them."""
        names = self._safe.get(folder, {})
        assert isinstance(names, dict)
        for name, number in names.items():
            kept = self._safe.get(number, b"")
            yield path / name, number, kept
            if not isinstance(kept, bytes):
                yield from self._found(number, path / name)


def inode(path: Path) -> int:
    return path.lstat().st_ino
