"""The files that a user's code consists of, found by reading its imports; nothing is run."""

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from lrlab.errors import CodeError
from lrlab.io import reading

_MOST_BYTES = 10_000_000
_INSTALLED = {"site-packages", "dist-packages"}
_OURS = "lrlab"


def read(path: Path, label: str) -> bytes:
    """Return the source of a file.

    Args:
        path: The file.
        label: What messages call it.

    Raises:
        CodeError: If there is no such file or it cannot be read.
    """
    if not reading.exists(path):
        raise CodeError(
            f"there is no file `{path}`",
            "paths in a config are relative to its folder, those on the command line to the "
            "current one",
        )
    try:
        return reading.read_bytes(path, _MOST_BYTES)
    except OSError as error:
        raise CodeError(f"`{label}` cannot be read: {reading.reason(error)}") from error


def sha256(source: bytes) -> str:
    """Return the SHA-256 of a source."""
    return hashlib.sha256(source).hexdigest()


def reachable(start: Path, root: Path, only: str | None = None) -> dict[str, Path]:
    """Return the file and the modules below a folder that it imports, directly or through others.

    Imports inside functions count, those of names that only exist at run time do not.

    Args:
        start: The file.
        root: The folder from which its modules are imported.
        only: The one package in that folder that counts, None if all do.

    Returns:
        The files by their path below `root`, with `/`, sorted.
    """
    found: dict[str, Path] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        name = below(path, root)
        if name not in found:
            found[name] = path
            waiting += [*_packages(path, root), *_imported(path, root, only)]
    return dict(sorted(found.items()))


def below(path: Path, root: Path) -> str:
    """Return a path relative to a folder, with `/`; its name alone where it is not below."""
    try:
        return path.relative_to(root).as_posix()
    except ValueError:
        return path.name


def is_local(file: str | None, root: Path) -> bool:
    """Return whether a file lies below a folder and belongs to no installation in it."""
    if not file:
        return False
    path, library = Path(file), Path(sysconfig.get_path("stdlib"))
    if not path.is_relative_to(root) or _INSTALLED & set(path.relative_to(root).parts):
        return False
    return not (library.is_relative_to(root) and path.is_relative_to(library))


def local_modules(root: Path, names: Iterable[str]) -> dict[str, ModuleType]:
    """Return those of the loaded modules with these names that are local to a folder."""
    found = {}
    for name in names:
        module = sys.modules.get(name)
        if isinstance(module, ModuleType) and name.split(".")[0] != _OURS:
            # A package without `__init__.py` has no file.
            file = getattr(module, "__file__", None) or next(iter(_folders(module)), None)
            if is_local(file, root):
                found[name] = module
    return found


def _folders(module: ModuleType) -> list[str]:
    return list(getattr(module, "__path__", []))


def _packages(path: Path, root: Path) -> Iterator[Path]:
    """Yield the files that Python runs first because of the packages that a file is in."""
    for folder in path.parents:
        if folder == root or not folder.is_relative_to(root):
            return
        if (folder / "__init__.py").is_file():
            yield folder / "__init__.py"


def _imported(path: Path, root: Path, only: str | None) -> Iterator[Path]:
    """Yield the local files that a file imports; none where it is no Python that could run."""
    for parts in _names(path, root):
        if parts and parts[0] != _OURS and only in (None, parts[0]):
            yield from _located(root, parts)


def _names(path: Path, root: Path) -> Iterator[list[str]]:
    """Yield what a file imports, as the parts of dotted names; names of functions are among it."""
    try:
        tree = ast.parse(reading.read_bytes(path, _MOST_BYTES))
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = path.parent.relative_to(root).parts if path.is_relative_to(root) else ()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = [*above, *(node.module.split(".") if node.module else ())]
            yield module
            yield from ([*module, alias.name] for alias in node.names)


def _located(root: Path, parts: Sequence[str]) -> Iterator[Path]:
    """Yield the files of a module and of the packages around it, as far as they are local."""
    for depth in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:depth])
        for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
            if file.is_file() and is_local(str(file), root):
                yield file
