"""Which functions of a file make Keras models, and which load data: read, never run."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lrlab.errors import UsageError
from lrlab.io import reading

OFFERED = ("input_shape", "outputs", "seed")
"""What lrlab gives to a function that makes a model, as far as its signature names it."""

_MOST_BYTES = 1_000_000
_MODELS = re.compile(r"(Sequential|Functional|\w*Model|load_model|clone_model)")
_LOADERS = re.compile(r"load(_\w+)?|(get|read|make|prepare)_(data|dataset|data_set|arrays)|dataset")


@dataclass(frozen=True)
class Functions:
    """Functions of a file, in its order.

    Args:
        models: Those that make a Keras model and that lrlab can call.
        loaders: Those that load data and need no arguments.
        unmet: Others that make a model, by their names, each with the arguments that nobody gives.
    """

    models: tuple[str, ...]
    loaders: tuple[str, ...]
    unmet: dict[str, tuple[str, ...]]


def functions(path: Path) -> Functions:
    """Return the functions of a file that make models and load data.

    A function makes a model if it returns what `Model(...)`, `Sequential(...)`, a subclass in the
    same file, an application of Keras or another such function gives.

    Raises:
        UsageError: If the file cannot be read or is not Python.
    """
    tree = _parsed(path)
    defined = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    makers = _classes(tree)
    while True:  # Until no further function returns what one that is known makes.
        found = {node.name for node in defined if _makes(node, makers)}
        if found <= makers:
            break
        makers |= found
    public = [node for node in defined if not node.name.startswith("_")]
    of_models = {node.name: _missing(node, OFFERED) for node in public if node.name in makers}
    return Functions(
        models=tuple(name for name, missing in of_models.items() if not missing),
        loaders=tuple(
            node.name
            for node in public
            if _LOADERS.fullmatch(node.name) and node.name not in makers and not _missing(node, ())
        ),
        unmet={name: missing for name, missing in of_models.items() if missing},
    )


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(reading.read_bytes(path, _MOST_BYTES), str(path))
    except SyntaxError as error:
        raise UsageError(f"`{path}` is not Python: line {error.lineno}: {error.msg}") from error
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        reason = reading.reason(error) if isinstance(error, OSError | ValueError) else "too deep"
        raise UsageError(f"`{path}` cannot be read: {reason}") from error


def _classes(tree: ast.Module) -> set[str]:
    """Return the classes of a file that are models."""
    found: set[str] = set()
    for node in tree.body:  # A base stands before what is derived from it.
        if isinstance(node, ast.ClassDef):
            bases = [_last(base) for base in node.bases]
            if any(base in found or _MODELS.fullmatch(base) for base in bases):
                found.add(node.name)
    return found


def _makes(function: ast.FunctionDef, makers: set[str]) -> bool:
    """Return whether a function returns a model, as far as that can be seen."""
    if function.returns is not None and _MODELS.fullmatch(_last(function.returns)):
        return True
    nodes = list(_own_nodes(function))
    made = {
        target.id
        for node in nodes
        if isinstance(node, ast.Assign) and _is_model(node.value, makers)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    returned = [node.value for node in nodes if isinstance(node, ast.Return) and node.value]
    return any(
        _is_model(value, makers) or (isinstance(value, ast.Name) and value.id in made)
        for value in returned
    )


def _own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield what a function's body holds, without functions and classes in it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            yield node
            waiting += ast.iter_child_nodes(node)


def _is_model(value: ast.expr, makers: set[str]) -> bool:
    if not isinstance(value, ast.Call):
        return False
    name = _last(value.func)
    return (
        name in makers
        or _MODELS.fullmatch(name) is not None
        or ("applications" in ast.unparse(value.func).split("."))
    )


def _last(node: ast.expr) -> str:
    """Return the last part of a dotted name, nothing for anything else."""
    if isinstance(node, ast.Constant):  # An annotation in quotes.
        return str(node.value).rpartition(".")[2]
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _missing(function: ast.FunctionDef, offered: Sequence[str]) -> tuple[str, ...]:
    """Return the parameters without a default that are not offered."""
    given = function.args
    positional = [*given.posonlyargs, *given.args]
    needed = positional[: len(positional) - len(given.defaults)]
    needed += [
        each
        for each, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if default is None
    ]
    return tuple(each.arg for each in needed if each.arg not in offered)
