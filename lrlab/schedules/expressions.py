"""A schedule as an arithmetic expression, evaluated over arrays without `eval`.

Why an evaluator of our own: numexpr compiles its text with `eval` behind a pattern check;
asteval and simpleeval start from Python objects and forbid what is dangerous (both had escapes
reported), and simpleeval's guards of `**` and `*` compare numbers, which fails on arrays. A rate
needs a few operators and functions, so this one knows nothing else: whatever is not in the tables
below is refused before anything is computed. Numbers become float64 first, so `9**9**9` overflows
to infinity at once instead of filling the memory.
"""

import ast
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

MAX_CHARACTERS = 1_000
MAX_DEPTH = 40

VARIABLES = ("step", "epoch", "steps", "epochs", "progress", "pi")

_BINARY: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: np.add,
    ast.Sub: np.subtract,
    ast.Mult: np.multiply,
    ast.Div: np.divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.Pow: np.power,
}
_UNARY: dict[type[ast.unaryop], Callable[..., Any]] = {
    ast.UAdd: np.positive,
    ast.USub: np.negative,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[..., Any]] = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}
FUNCTIONS: dict[str, tuple[Callable[..., Any], int]] = {
    "abs": (np.abs, 1),
    "ceil": (np.ceil, 1),
    "clip": (np.clip, 3),
    "cos": (np.cos, 1),
    "exp": (np.exp, 1),
    "floor": (np.floor, 1),
    "log": (np.log, 1),
    "log10": (np.log10, 1),
    "log2": (np.log2, 1),
    "max": (np.maximum, 2),
    "maximum": (np.maximum, 2),
    "min": (np.minimum, 2),
    "minimum": (np.minimum, 2),
    "sin": (np.sin, 1),
    "sqrt": (np.sqrt, 1),
    "tanh": (np.tanh, 1),
    "where": (np.where, 3),
}
"""The functions of NumPy that an expression may call, and how many arguments each takes."""


def parse(expression: str, parameters: Mapping[str, float]) -> ast.expr:
    """Return the tree of an expression in which nothing but arithmetic stands.

    Raises:
        ValueError: If anything else does.
    """
    if len(expression) > MAX_CHARACTERS:
        raise ValueError(f"must be at most {MAX_CHARACTERS:,} characters, got {len(expression):,}")
    for name in parameters:
        if not re.fullmatch(r"[A-Za-z]\w{0,31}", name, re.ASCII):
            raise ValueError(f"parameter `{name[:40]}` must be a name: letters, digits and `_`")
        if name in VARIABLES or name in FUNCTIONS:
            raise ValueError(
                f"parameter `{name}` must not have the name of something that lrlab provides"
            )
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        reason = getattr(error, "msg", None) or "it cannot be parsed"
        raise ValueError(f"is not an expression: {reason}") from None
    _check(tree, frozenset(VARIABLES) | parameters.keys(), 1)
    return tree


def _check(node: ast.AST, names: frozenset[str], depth: int) -> None:
    """Refuse every node that is not in the tables, before anything is evaluated."""
    if depth > MAX_DEPTH:
        raise ValueError(f"is nested more than {MAX_DEPTH} levels deep")
    inner: list[ast.AST] = []
    match node:
        case ast.Constant(value=bool() | str() | bytes() | complex() | None):
            raise ValueError(f"holds `{ast.unparse(node)[:40]}`, which is not a number")
        case ast.Constant(value=int() | float() as value):
            _number(value)
        case ast.Name(id=name):
            if name not in names:
                raise ValueError(f"unknown name `{name[:40]}`; known: {', '.join(sorted(names))}")
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            inner = [left, right]
        case ast.UnaryOp(op=unary, operand=operand) if type(unary) in _UNARY:
            inner = [operand]
        case ast.Compare(left=left, ops=ops, comparators=others) if all(
            type(one) in _COMPARISONS for one in ops
        ):
            inner = [left, *others]
        case ast.BoolOp(values=values):
            inner = list(values)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            inner = [test, body, orelse]
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
            count = FUNCTIONS[name][1]
            if len(args) != count:
                raise ValueError(f"`{name}` takes {count} arguments, got {len(args)}")
            inner = list(args)
        case ast.Call(func=ast.Name(id=name)):
            known = ", ".join(FUNCTIONS)
            raise ValueError(f"unknown function `{name[:40]}`; known: {known}")
        case _:
            raise ValueError(_refusal(node))
    for one in inner:
        _check(one, names, depth + 1)


def _refusal(node: ast.AST) -> str:
    """Return what is said about a part of an expression that is not allowed."""
    if isinstance(node, ast.Call | ast.Attribute):
        path = node.func if isinstance(node, ast.Call) else node
        last = path.attr if isinstance(path, ast.Attribute) else ""
        use = f"; use `{last}`" if last in FUNCTIONS or last in VARIABLES else ""
        return f"`{ast.unparse(path)[:40]}` is not available{use}"
    return f"`{ast.unparse(node)[:40]}` is not arithmetic; use numbers, operators and functions"


def _number(value: int | float) -> np.float64:
    try:
        return np.float64(float(value))
    except OverflowError:
        raise ValueError("holds a number above 1e308") from None


def evaluate(node: ast.AST, values: Mapping[str, Any]) -> Any:
    """Return the value of a checked tree."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return _number(value)
        case ast.Name(id=name):
            return values[name]
        case ast.BinOp(left=left, op=op, right=right):
            return _BINARY[type(op)](evaluate(left, values), evaluate(right, values))
        case ast.UnaryOp(op=unary, operand=operand):
            return _UNARY[type(unary)](evaluate(operand, values))
        case ast.Compare(left=left, ops=ops, comparators=others):
            terms = [evaluate(one, values) for one in (left, *others)]
            pairs = zip(ops, terms[:-1], terms[1:], strict=True)
            held = [_COMPARISONS[type(op)](first, second) for op, first, second in pairs]
            return np.multiply.reduce(np.broadcast_arrays(*held)).astype(np.float64)
        case ast.BoolOp(op=both, values=parts):
            truths = np.broadcast_arrays(*[evaluate(one, values) != 0 for one in parts])
            joined = np.all(truths, axis=0) if isinstance(both, ast.And) else np.any(truths, axis=0)
            return joined.astype(np.float64)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            chosen = evaluate(test, values) != 0
            return np.where(chosen, evaluate(body, values), evaluate(orelse, values))
        case ast.Call(func=ast.Name(id=name), args=args):
            terms = [evaluate(one, values) for one in args]
            if name == "where":
                terms[0] = terms[0] != 0
            return FUNCTIONS[name][0](*terms)
    raise AssertionError(f"`{type(node).__name__}` was not refused")
