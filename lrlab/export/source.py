"""The source of the formulas, cut out of `lrlab.schedules`, so that a formula is written once.

What a function uses comes before it; annotations go, and of a docstring only the first line stays.
"""

import ast
import builtins
import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lrlab.errors import UsageError


def definitions(functions: Iterable[Callable[..., Any]]) -> list[str]:
    """Return the source of functions and of all that they use, each part once.

    Args:
        functions: Functions of the modules of `lrlab.schedules`.

    Returns:
        Imports and definitions, in an order in which they run; `numpy` as `np` is taken as there.
    """
    found: dict[str, str] = {}
    for function in functions:
        _take(function.__module__, function.__name__, found)
    return sorted(found.values(), key=lambda text: not text.startswith("from "))


def _take(module: str, name: str, found: dict[str, str]) -> None:
    if name in found:
        return
    statement = _statements(module).get(name)
    if statement is None:
        return
    if isinstance(statement, ast.ImportFrom):
        origin = statement.module or ""
        if origin.startswith("lrlab."):
            _take(origin, name, found)
        else:
            found[name] = f"from {origin} import {name}"
        return
    plain = _Plain().visit(statement)
    for used in _globals(plain):
        if used != name:
            _take(module, used, found)
    found[name] = ast.unparse(ast.fix_missing_locations(plain))


@functools.cache
def _text(module: str) -> str:
    try:
        return inspect.getsource(importlib.import_module(module))
    except OSError as error:
        raise UsageError(
            f"the source of `{module}` is not there, and an export is made of it",
            "install lrlab with its `.py` files",
        ) from error


def _statements(module: str) -> dict[str, ast.stmt]:
    """Return the top-level statement that gives each name of a module its meaning."""
    found: dict[str, ast.stmt] = {}
    for statement in ast.parse(_text(module)).body:
        match statement:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                found[name] = statement
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                found[name] = statement
            case ast.ImportFrom(names=names):
                found |= {alias.name: statement for alias in names}
    return found


def _globals(tree: ast.AST) -> Iterator[str]:
    """Yield the names that a definition takes from its module, in the order of their use."""
    names = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    for node in names:
        if node.id not in own and not hasattr(builtins, node.id):
            yield node.id


class _Plain(ast.NodeTransformer):
    """Takes away what a reader of the snippet does not need."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            argument.annotation = None
        _shorten_docstring(node)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        _shorten_docstring(node)
        for field in node.body:
            # A NamedTuple needs annotations; which they are says nothing here.
            if isinstance(field, ast.AnnAssign):
                field.annotation = ast.Name("object", ast.Load())
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        assert node.value is not None
        return ast.Assign([node.target], node.value)


def _shorten_docstring(node: ast.FunctionDef | ast.ClassDef) -> None:
    text = ast.get_docstring(node)
    if text:
        node.body[0] = ast.Expr(ast.Constant(text.splitlines()[0]))


def number(value: float) -> str:
    """Return a number as one writes it: a whole one without a point."""
    whole = float(value).is_integer() and abs(value) < 2**53
    return str(int(value)) if whole else repr(float(value))
