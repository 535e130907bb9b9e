"""What tells a function from another that Python hands over as an object, with no file to hash.

A function is what Python compiled it to, with all that it uses from around it: constants, other
functions, classes. Comments and layout do not count. What cannot be told from something else, and
what runs would share, is refused: runs under its name would not be what they say.
"""

import dis
import enum
import functools
import hashlib
import importlib.util
import inspect
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from lrlab.errors import CodeError
from lrlab.tasks import code_sources

_PLAIN = (type(None), bool, int, float, complex, str, bytes, type(...), range, slice, PurePath,
          re.Pattern, np.generic, np.dtype, np.ufunc, enum.Enum, logging.Logger)  # fmt: skip
"""Kinds of values that their `repr` tells apart; a logger says nothing to a result."""

_NOT_OF_A_CLASS = {"__module__", "__dict__", "__weakref__", "__doc__", "__annotations__",
                   "__firstlineno__", "__static_attributes__", "__abstractmethods__", "_abc_impl",
                   "__parameters__", "__orig_bases__", "__annotate__", "__annotate_func__",
                   "__annotations_cache__"}  # fmt: skip


def digest_of(name: str, *values: Any) -> str:
    """Return the SHA-256 of what tells some objects from others: functions, classes, values.

    Args:
        name: What messages call them.
        values: The objects.

    Raises:
        CodeError: If one holds or uses something of which nobody can tell whether it has changed.
    """
    identity = _Identity(name)
    for value in values:
        identity.add("", value)
    return identity.digest.hexdigest()


class _Identity:
    """The hash of objects and of all that they use, each told once."""

    def __init__(self, name: str) -> None:
        self.digest = hashlib.sha256()
        self._name = name
        self._seen: dict[int, Any] = {}

    def add(self, name: str, value: Any) -> None:
        """Add a value, which the code calls `name`."""
        if isinstance(value, _PLAIN):
            self._tell(name, str(type(value).__name__), repr(value))
        elif isinstance(value, np.ndarray):
            self._array(name, value)
        elif isinstance(value, list | tuple | set | frozenset | dict):
            self._collection(name, value)
        elif id(value) in self._seen:
            self._tell(name, "again", str(list(self._seen).index(id(value))))
        else:
            self._seen[id(value)] = value
            self._object(name, value)

    def _tell(self, *texts: str) -> None:
        self.digest.update(json.dumps(texts).encode())

    def _array(self, name: str, value: Any) -> None:
        if value.dtype.hasobject:
            raise self._refusal(name, value)
        self._tell(name, "array", value.dtype.str, str(value.shape))
        self.digest.update(np.ascontiguousarray(value).tobytes())

    def _collection(self, name: str, value: Any) -> None:
        self._tell(name, type(value).__qualname__, str(len(value)))
        items = value.items() if isinstance(value, dict) else enumerate(value)
        if isinstance(value, set | frozenset):
            items = enumerate(sorted(value, key=repr))
        for key, item in items:
            self.add(name, key)
            self.add(f"{name}[{key!r}]", item)

    def _object(self, name: str, value: Any) -> None:
        if isinstance(value, ModuleType):
            self._module(name, value)
        elif isinstance(value, functools.partial):
            self._tell(name, "partial")
            self.add(name, value.func)
            self.add(name, [value.args, value.keywords])
        elif isinstance(value, MethodType):
            self._tell(name, "method")
            self.add(name, value.__func__)
            self.add(f"{name}.__self__", value.__self__)
        elif isinstance(value, staticmethod | classmethod):
            self.add(name, value.__func__)
        elif isinstance(value, property):
            for part in (value.fget, value.fset):
                self.add(name, part)
        elif _is_installed(value):
            self._tell(name, "installed", value.__module__, value.__qualname__)
        elif isinstance(value, FunctionType):
            self._function(name, value)
        elif inspect.isclass(value):
            self._class(name, value)
        else:
            self._instance(name, value)

    def _function(self, name: str, value: FunctionType) -> None:
        self._code(value.__code__)
        self.add("defaults", value.__defaults__)
        self.add("defaults", value.__kwdefaults__)
        free = value.__code__.co_freevars
        for each, cell in zip(free, value.__closure__ or (), strict=True):
            try:
                self.add(each, cell.cell_contents)
            except ValueError:  # Not bound yet: a function that calls itself while it is made.
                self._tell(each, "unbound")
        for each, used in _used(value.__code__, value.__globals__):
            self.add(each, used)
        for each in _imports(value.__code__):
            self._files(each)

    def _code(self, code: CodeType) -> None:
        counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
        self._tell(code.co_code.hex(), str(counts), code.co_exceptiontable.hex())
        for names in (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars):
            self._tell(*names)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                self._code(constant)
            else:
                self.add("constant", constant)

    def _class(self, name: str, value: type) -> None:
        self._tell(name, "class", value.__qualname__)
        for base in value.__bases__:
            self.add(name, base)
        for key, each in sorted(vars(value).items()):
            if key not in _NOT_OF_A_CLASS:
                self.add(f"{value.__name__}.{key}", each)

    def _instance(self, name: str, value: Any) -> None:
        if any(hasattr(value, held) for held in ("variables", "weights", "assign")):
            raise CodeError(
                f"`{self._name}` uses `{name}`, {_a(value)} made outside: all runs would share it",
                "make it inside the function",
            )
        if tensor := getattr(value, "numpy", None):
            self._array(name, np.asarray(tensor()))
            return
        if type(value).__module__ == "typing" or type(value).__name__ == "DType":
            self._tell(name, repr(value))
            return
        if not hasattr(value, "get_config"):
            raise self._refusal(name, value)
        self.add(name, type(value))
        self.add(name, value.get_config())

    def _module(self, name: str, value: ModuleType) -> None:
        if is_local(getattr(value, "__file__", None)):
            self._files(value.__name__)
        else:
            self._tell(name, "module", value.__name__)

    def _files(self, module: str) -> None:
        """Add the files of a local module, which the code imports when it runs or uses whole."""
        start = _file_of(module)
        if start is None or not is_local(str(start)):
            self._tell("module", module)
            return
        above = module.count(".") + (start.name == "__init__.py")
        root = start.parents[min(above, len(start.parents) - 1)]
        for label, path in code_sources.reachable(start, root).items():
            self._tell(label, code_sources.sha256(path.read_bytes()))

    def _refusal(self, name: str, value: Any) -> CodeError:
        return CodeError(
            f"`{self._name}` uses `{name or self._name}`, {_a(value)}, of which nobody can tell "
            "whether it has changed since other runs",
            "make it inside the function, or use numbers, texts, arrays and functions only",
        )


def _a(value: Any) -> str:
    return f"an object of `{type(value).__qualname__}`"


def _used(code: CodeType, known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what code uses of its module, by name; of a local module the attribute it takes."""
    at: tuple[str, Any] | None = None
    for each in dis.get_instructions(code):
        if at and each.opname in ("LOAD_ATTR", "LOAD_METHOD") and _has(at[1], each.argval):
            at = (f"{at[0]}.{each.argval}", getattr(at[1], each.argval))
            continue
        if at and each.opname not in _BETWEEN:
            yield at
            at = None
        if each.opname in ("LOAD_GLOBAL", "LOAD_NAME") and each.argval in known:
            at = (each.argval, known[each.argval])
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _used(constant, known)


_BETWEEN = ("PRECALL", "CACHE", "EXTENDED_ARG", "PUSH_NULL")


def _has(value: Any, name: str) -> bool:
    local = isinstance(value, ModuleType) and is_local(getattr(value, "__file__", None))
    return local and hasattr(value, name)


def _imports(code: CodeType) -> Iterator[str]:
    for each in dis.get_instructions(code):
        if each.opname == "IMPORT_NAME" and each.argval:
            yield each.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _imports(constant)


def _file_of(module: str) -> Path | None:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _is_installed(value: Any) -> bool:
    """Return whether a function or class is of Python itself or of an installed library."""
    if not isinstance(value, type | FunctionType | BuiltinFunctionType) and not (
        hasattr(value, "__qualname__") and hasattr(value, "__module__")
    ):
        return False
    module = sys.modules.get(value.__module__ or "builtins")
    if module is None or value.__module__ == "__main__":
        return False
    return not is_local(getattr(module, "__file__", None))


def is_local(file: str | None) -> bool:
    """Return whether a file is neither of Python, of an installed library nor of lrlab."""
    if not file:
        return False
    ours = Path(code_sources.__file__).parents[1]
    path = Path(file).absolute()
    return code_sources.is_local(str(path), Path(path.anchor)) and not path.is_relative_to(ours)
