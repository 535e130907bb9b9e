"""The surroundings that a user's code runs in: its folder on the path, its modules, its settings.

Whatever it does to the process while it is imported or called is undone afterwards.
"""

import contextlib
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from lrlab.tasks import code_sources
from lrlab.tasks.random_state import preserved_random_state

_LOCK = threading.RLock()


@dataclass(frozen=True, eq=False)
class Imported:
    """A file or module that was referred to and imported.

    Args:
        module: The module.
        source: The SHA-256 of what was run, for a file; a module may have been run by others.
        others: The names of the local modules that were first imported with it.
    """

    module: ModuleType
    source: str | None
    others: frozenset[str]


@dataclass(eq=False)
class Home:
    """A folder with code, and what that code needs around it when it runs.

    Args:
        root: The folder.
        modules: The modules below it that its code imported, by name.
        sources: The SHA-256 of their files when they were imported.
        paths: What its code added to `sys.path`.
        settings: Keras' settings as its code left them.
        imported: What was referred to and imported, by its path or name.
    """

    root: Path
    modules: dict[str, ModuleType] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    imported: dict[str, Imported] = field(default_factory=dict)

    def forget_if_changed(self) -> None:
        """Forget all modules, to import them again, if the file of one has changed."""
        if any(self.sources.get(name) != _digest(each) for name, each in self.modules.items()):
            _take_out(self)
            self.modules.clear()
            self.sources.clear()
            self.imported.clear()

    def adopt(self, names: set[str]) -> None:
        """Take loaded modules of these names as those of this home, as far as they lie in it."""
        self.modules = code_sources.local_modules(self.root, names | set(self.modules))
        for name, module in self.modules.items():
            self.sources.setdefault(name, _digest(module))


_homes: dict[Path, Home] = {}


def home_of(root: Path) -> Home:
    """Return the home of a folder; there is one for each in a process."""
    return _homes.setdefault(root, Home(root))


@contextlib.contextmanager
def at_home(home: Home, *, importing: bool = False) -> Iterator[None]:
    """Let code of a home run: one at a time, and without a trace afterwards.

    Its folder comes first on `sys.path`, modules of the same name that belong to another home make
    room, and what it prints goes to stderr. Restored are `sys.path`, `sys.argv`, `sys.stdout`,
    `sys.stderr`, the current folder, the recursion limit, Keras' settings and random state.

    Args:
        home: The home.
        importing: Whether what it adds to `sys.path` and how it sets Keras are to be kept for when
            it runs again.
    """
    with _LOCK, _restored(), preserved_random_state():
        sys.path[:0] = [str(home.root), *home.paths]
        sys.argv = sys.argv[:1]
        sys.dont_write_bytecode = True
        set_keras(home.settings)
        _make_room(home)
        before = set(sys.modules)
        tops = {name.split(".")[0] for name in before - set(home.modules)}
        path, settings = list(sys.path), keras_settings()
        try:
            with contextlib.redirect_stdout(sys.stderr):
                yield
        finally:
            new = set(sys.modules) - before
            home.adopt({name for name in new if name.split(".")[0] not in tops})
            if importing:
                home.paths += [str(each) for each in sys.path if each not in path]
                home.settings |= _differences(settings, keras_settings())
            _back_to_others(home)


@contextlib.contextmanager
def _restored() -> Iterator[None]:
    kept = {name: getattr(sys, name) for name in ("argv", "stdout", "stderr")}
    path, bytecode, limit = list(sys.path), sys.dont_write_bytecode, sys.getrecursionlimit()
    folder = _current_folder()
    settings = keras_settings()
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(sys, name, value)
        sys.path[:], sys.dont_write_bytecode = path, bytecode
        sys.setrecursionlimit(limit)
        if folder is not None and _current_folder() != folder:
            os.chdir(folder)
        set_keras(settings or DEFAULT_SETTINGS)


def _current_folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # Somebody has removed it.
        return None


def _make_room(home: Home) -> None:
    for other in _homes.values():
        if other is not home:
            _take_out(other)
    sys.modules.update(home.modules)


def _take_out(home: Home) -> None:
    for name, module in home.modules.items():
        if sys.modules.get(name) is module:
            del sys.modules[name]


def _back_to_others(home: Home) -> None:
    """Give the other homes their modules back, where no name is in dispute."""
    for other in _homes.values():
        if other is not home:
            for name, module in other.modules.items():
                sys.modules.setdefault(name, module)


def _digest(module: ModuleType) -> str:
    file = getattr(module, "__file__", None)
    try:
        return code_sources.sha256(Path(file).read_bytes()) if file else ""
    except OSError:
        return ""


# --- Keras' settings, which it keeps for the whole process ---

DEFAULT_SETTINGS: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "dtype_policy": "float32",
}
"""What is restored where Keras was first imported by the user's code."""


def keras_settings() -> dict[str, Any]:
    """Return Keras' settings, nothing where it is not loaded."""
    config = getattr(sys.modules.get("keras"), "config", None)
    return {} if config is None else {name: getattr(config, name)() for name in DEFAULT_SETTINGS}


def set_keras(settings: Mapping[str, Any]) -> None:
    """Set Keras as `keras_settings` returned it."""
    config = getattr(sys.modules.get("keras"), "config", None)
    for name, value in settings.items() if config is not None else ():
        if getattr(config, name)() != value:
            getattr(config, f"set_{name}")(value)


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in after.items() if before.get(name) != value}
