"""A user's function, loaded with consent: called with what its signature names, and identified.

It is the one door through which code that is not lrlab's gets in.
"""

import hashlib
import importlib
import inspect
import json
import pkgutil
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from lrlab.errors import CodeError
from lrlab.io import reading
from lrlab.tasks import code_errors, code_shipping, code_sources
from lrlab.tasks.code import CodeReference, Origin, nearest, require_consent
from lrlab.tasks.code_arguments import arguments
from lrlab.tasks.code_home import Home, Imported, at_home, home_of

_MOST_NAMED = 8


@dataclass(frozen=True, eq=False)
class Code:
    """A user's function that may run.

    Args:
        reference: What it was referred to as.
        function: The function, or a class that is called as one.
        sources: The SHA-256 of its file and of the local modules that it imports, by their path.
        files: These files.
        home: What it needs around it when it runs.
    """

    reference: CodeReference
    function: Callable[..., Any]
    sources: Mapping[str, str]
    files: Mapping[str, Path]
    home: Home

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what makes the same code on another machine, from its files."""
        self.check_unchanged()
        return _unpacked, (self.reference, code_shipping.packed(self.files))

    def call(self, offered: Mapping[str, Any], args: Mapping[str, Any] | None = None) -> Any:
        """Return what the function returns.

        Args:
            offered: What lrlab has to give; the function gets those that its signature names.
            args: What the user states for it; these win over what is offered.

        Raises:
            CodeError: If the arguments do not fit, or the function fails.
        """
        positional, named = arguments(self.reference, self.function, offered, args or {})
        with self.running():
            try:
                return self.function(*positional, **named)
            except (Exception, SystemExit) as error:
                raise self.failed(error) from error

    def running(self) -> AbstractContextManager[None]:
        """Return the context in which it, and what it made, has to run."""
        return at_home(self.home)

    def failed(self, error: BaseException) -> CodeError:
        """Return what is told where it, or what it made, has failed."""
        return code_errors.failed(self.reference.text, error, self.home.root, self._is_theirs)

    def _is_theirs(self, file: str) -> bool:
        return file in map(str, self.files.values()) or code_sources.is_local(file, self.home.root)

    def identity(self, args: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return what tells this code from other code, as JSON; it does not hold its folder.

        Raises:
            CodeError: If an argument is not of the kinds that JSON knows.
        """
        found: dict[str, Any] = {"import": self.reference.import_string}
        if args:
            try:
                found["args"] = json.loads(json.dumps(dict(args), allow_nan=False))
            except (TypeError, ValueError) as error:
                raise CodeError(f"`args` of `{self.reference.text}`: {error}") from error
        return found | {"sha256": dict(self.sources)}

    def check_unchanged(self) -> None:
        """Make sure that its files are still those that run.

        Raises:
            CodeError: If one has changed or is gone.
        """
        for name, path in self.files.items():
            if _digest(path) != self.sources[name]:
                raise CodeError(
                    f"`{name}` has changed since this command began",
                    "run it again; runs of the new code are kept apart from those of the old",
                )


def _unpacked(reference: CodeReference, contents: tuple[tuple[str, bytes], ...]) -> Code:
    """Return code that came from another machine, where the command line consented to it."""
    reference = code_shipping.unpacked(reference, contents)
    folder = code_shipping.folder_of(contents)
    return load(reference, {reference.origin}, folder)


def load(reference: CodeReference, trusted: Collection[Origin], folder: Path | None = None) -> Code:
    """Import a user's function; only what the command line named is ever imported.

    Args:
        reference: The function.
        trusted: What the command line consents to.
        folder: Where modules are looked for first; None: in the current folder.

    Raises:
        CodeError: If it is not trusted, not there, fails when it is imported, or is no function.
    """
    require_consent(reference, trusted)
    if reference.function is None:
        raise CodeError(
            f"`{reference.text}` is a saved model; a function is needed here",
            "write FILE.py:FUNCTION or package.module:FUNCTION",
        )
    place = reference.origin
    home = home_of(place.parent if isinstance(place, Path) else folder or Path.cwd())
    home.forget_if_changed()
    imported = _import_file(place, home) if isinstance(place, Path) else _import_module(place, home)
    function = _function(imported.module, reference)
    files = _files(imported, home)
    digests = {name: _digest(path) for name, path in files.items()}
    if imported.source is not None:
        digests[reference.label] = imported.source
    return Code(reference, function, digests, files, home)


def file_identity(reference: CodeReference) -> dict[str, Any]:
    """Return what tells a `.keras` file from another, as JSON.

    Raises:
        CodeError: If it cannot be read.
    """
    path = Path(reference.origin)
    try:
        with reading.open_file(path) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CodeError(f"`{path}` cannot be read: {reading.reason(error)}") from error
    return {"import": reference.import_string, "sha256": {path.name: digest}}


# --- importing ---


def _import_file(path: Path, home: Home) -> Imported:
    source = code_sources.read(path, path.name)
    digest = code_sources.sha256(source)
    known = home.imported.get(str(path))
    if known is not None and known.source == digest:
        return known
    # Two files of one name must not meet, and neither the module of an installed library.
    name = f"_lrlab_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}_{path.stem}"
    module = ModuleType(name)
    module.__file__ = str(path)
    code = _compiled(path, source)
    sys.modules[name] = module
    try:
        return _run_import(path.name, str(path), home, lambda: _run(code, module), digest)
    except BaseException:
        sys.modules.pop(name, None)
        raise


def _compiled(path: Path, source: bytes) -> CodeType:
    try:
        return compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise code_errors.not_python(path.name, error, source) from error
    except (RecursionError, MemoryError) as error:
        raise CodeError(f"`{path.name}` is nested too deeply for Python") from error


def _run(code: CodeType, module: ModuleType) -> ModuleType:
    exec(code, module.__dict__)
    return module


def _import_module(name: str, home: Home) -> Imported:
    importlib.invalidate_caches()
    return _run_import(name, name, home, lambda: importlib.import_module(name), None)


def _run_import(
    label: str, key: str, home: Home, run: Callable[[], ModuleType], source: str | None
) -> Imported:
    def is_theirs(file: str) -> bool:
        return code_sources.is_local(file, home.root)

    before = set(home.modules)
    with at_home(home, importing=True):
        try:
            module = run()
        except ModuleNotFoundError as error:
            if error.name and (label == error.name or label.startswith(f"{error.name}.")):
                raise _no_such_module(label, error.name, home) from error
            beside = _modules_in([str(home.root)])
            raise code_errors.module_missing(label, error, home.root, is_theirs, beside) from error
        except (Exception, SystemExit) as error:
            when = " while it was imported"
            raise code_errors.failed(label, error, home.root, is_theirs, when) from error
    known = home.imported.get(key)
    others = frozenset(home.modules.keys() - before) | (known.others if known else frozenset())
    home.imported[key] = Imported(module, source, others)
    return home.imported[key]


def _no_such_module(name: str, missing: str, home: Home) -> CodeError:
    package, _, last = missing.rpartition(".")
    if not package:
        return CodeError(
            f"there is no module `{name}`{nearest(last, _modules_in([str(home.root)]))}",
            f"it was looked for in `{home.root}` and among the installed packages",
        )
    paths = list(getattr(sys.modules.get(package), "__path__", []))
    return CodeError(f"`{package}` has no module `{last}`{nearest(last, _modules_in(paths))}")


def _modules_in(paths: list[str]) -> list[str]:
    return [module.name for module in pkgutil.iter_modules(paths)]


def _function(module: ModuleType, reference: CodeReference) -> Callable[..., Any]:
    found: Any = module
    for name in str(reference.function).split("."):
        if not hasattr(found, name):
            raise _no_such_function(found, name, reference)
        found = getattr(found, name)
    if hasattr(found, "get_weights") and not inspect.isclass(found):
        raise CodeError(
            f"`{reference.text}` is a model, and every run needs a fresh one",
            "refer to a function that makes and returns it",
        )
    if not callable(found):
        raise CodeError(
            f"`{reference.text}` is not a function, it is {code_errors.described(found)}"
        )
    function: Callable[..., Any] = found
    return function


def _no_such_function(owner: Any, name: str, reference: CodeReference) -> CodeError:
    functions = [
        each
        for each, value in vars(owner).items()
        if callable(value) and not each.startswith("_") and _is_defined_in(value, owner)
    ]
    near = nearest(name, functions or dir(owner))
    listed = ", ".join(f"`{each}`" for each in functions[:_MOST_NAMED])
    hint = f"it has {listed}" if listed and not near else None
    return CodeError(f"`{reference.label}` has no `{name}`{near}", hint)


def _is_defined_in(value: Any, owner: Any) -> bool:
    return getattr(value, "__module__", None) == getattr(owner, "__name__", None)


def _files(imported: Imported, home: Home) -> dict[str, Path]:
    """Return the files of a module and of all local modules that it needs."""
    start, name = Path(str(imported.module.__file__)), imported.module.__name__
    root, only = home.root, None
    if not code_sources.is_local(str(start), root):  # Of an installed package.
        root, only = start.parents[name.count(".") + (start.name == "__init__.py")], name
    files = code_sources.reachable(start, root, only and only.split(".")[0])
    for name in imported.others & home.modules.keys():
        path = Path(str(getattr(home.modules[name], "__file__", None)))
        if path.is_file():
            files.setdefault(code_sources.below(path, root), path)
    return dict(sorted(files.items()))


def _digest(path: Path) -> str:
    try:
        return code_sources.sha256(path.read_bytes())
    except OSError:
        return ""
