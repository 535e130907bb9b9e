"""The source of a user's function with all that it needs, so that it runs without its file."""

import ast
import builtins
import dis
import inspect
import math
from collections.abc import Callable, Iterator
from types import CodeType, ModuleType
from typing import Any

import numpy as np

from lrlab.errors import UsageError
from lrlab.schedules import SCHEDULES
from lrlab.tasks.code_errors import described

_TAKEN = {"learning_rate", "momentum", "LearningRate", "own", "ramp", "hold", "np", "npt", "ops"}
"""Names that exported code uses itself, beside those of the schedules."""

_REMEDY = "use `lrlab.KerasSchedule`, or `lrlab.rates`, where lrlab is installed"


def definitions(function: Callable[..., Any], label: str) -> list[str]:
    """Return the source of a function, after the imports, constants and functions that it uses.

    Args:
        function: A function that needs nothing but NumPy.
        label: What messages call it.

    Raises:
        UsageError: If it needs something else, or is not a plain function of a file.
    """
    found: dict[str, str] = {}
    _add(function, label, found)
    if taken := sorted((_TAKEN | set(SCHEDULES)) & found.keys() - {"np"}):
        raise UsageError(
            f"`{label}` cannot be exported: `{taken[0]}` is a name that the code needs itself",
            "rename it in your file",
        )
    return [text for text in found.values() if text]


def _add(function: Any, label: str, found: dict[str, str]) -> None:
    """Put into `found`, by name, what a function needs, and then the function."""
    source, node = _source(function, label)
    for name in dict.fromkeys([*_evaluated(node), *_globals(function.__code__)]):
        if name in found or name == function.__name__:
            continue
        if name in function.__globals__:
            _add_value(name, function.__globals__[name], label, found)
        elif not hasattr(builtins, name):
            raise UsageError(f"`{label}` cannot be exported: it uses `{name}`, which is not there")
    found[function.__name__] = source


def _source(function: Any, label: str) -> tuple[str, ast.FunctionDef]:
    """Return the source of a function, and its syntax tree."""
    plain = inspect.isfunction(function) and function.__qualname__ == function.__name__
    text = inspect.getsource(function).rstrip() if plain else ""
    try:
        (node,) = ast.parse(text).body
    except (SyntaxError, ValueError):  # A part of a line, as a lambda is, or nothing.
        node = ast.Pass()
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        raise UsageError(
            f"`{label}` cannot be exported: `{getattr(function, '__qualname__', function)}` is not "
            "a plain function, which starts with `def` at the left edge of its file",
            _REMEDY,
        )
    return text, node


def _evaluated(node: ast.FunctionDef) -> Iterator[str]:
    """Yield the names that Python looks up while it defines a function: defaults, annotations."""
    for part in (node.args, node.returns):
        for each in ast.walk(part) if part is not None else ():
            if isinstance(each, ast.Name):
                yield each.id


def _globals(code: CodeType) -> Iterator[str]:
    """Yield the names that a function looks up outside itself when it runs."""
    for instruction in dis.get_instructions(code):
        if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _globals(constant)


def _add_value(name: str, value: Any, label: str, found: dict[str, str]) -> None:
    """Put into `found` how a name that a function uses gets its value."""
    if isinstance(value, ModuleType):
        if value.__name__ == "math" or value.__name__.split(".")[0] == "numpy":
            known = (name, value.__name__) == ("np", "numpy")
            plain = name == value.__name__
            given = f"import {name}" if plain else f"import {value.__name__} as {name}"
            found[name] = "" if known else given
            return
        raise UsageError(
            f"`{label}` cannot be exported: it needs `{value.__name__}`, and exported code needs "
            "NumPy only",
            _REMEDY,
        )
    if inspect.isfunction(value) and value.__module__.split(".")[0] != "numpy":
        _add(value, label, found)
        return
    owner = str(getattr(value, "__module__", "")).split(".")[0]
    if owner in ("numpy", "math") and hasattr(np if owner == "numpy" else math, name):
        found[name] = f"from {owner} import {name}"
        return
    if not _is_plain(value):
        raise UsageError(
            f"`{label}` cannot be exported: it uses `{name}`, which is {described(value)}",
            _REMEDY,
        )
    found[name] = f"{name} = {value!r}"


def _is_plain(value: Any) -> bool:
    """Return whether `repr` gives a value back."""
    if isinstance(value, list | tuple | set):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(_is_plain(each) for pair in value.items() for each in pair)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or type(value) in (bool, int, str)
