"""A `formula` schedule's expression as NumPy code that gives what lrlab's evaluator gives."""

import ast
from collections.abc import Mapping
from typing import Any

import numpy as np

from lrlab.schedules import expressions
from lrlab.schedules.pieces import number

_MOVING = {"step", "epoch", "progress"}


def function(
    name: str, *, expression: str, over: float, epoch: float, parameters: Mapping[str, float]
) -> str:
    """Return the source of a function of the step that gives the expression's value.

    Args:
        name: What the function is called.
        expression: As in `lrlab.schedules.formula`, as the others.
        over: Steps of the whole length.
        epoch: Steps an epoch.
        parameters: Named numbers.

    Raises:
        ValueError: If the expression is not allowed.
    """
    tree = expressions.parse(expression, parameters)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    fixed = {"steps": over, "epochs": over / epoch, "pi": np.pi, **parameters}
    code = ast.unparse(ast.fix_missing_locations(_numpy(tree, fixed)))
    values = {key: number(value) for key, value in fixed.items() if key != "pi"}
    values |= {"pi": "np.pi", "epoch": f"step / {number(epoch)}"}
    values["progress"] = f"step / {number(over)}"
    lines = [f"{key} = {text}" for key, text in values.items() if key in used]
    body = [
        f"step = np.minimum(np.asarray(step, np.float64), {number(over)})",
        *lines,
        'with np.errstate(all="ignore"):',
        f"    return np.broadcast_to({code}, step.shape).astype(np.float64)",
    ]
    # Not the text itself: in a comment of it, a stranger's config could end the docstring.
    title = f'"""Return `{ast.unparse(tree)}`."""'
    return "\n    ".join([f"def {name}(step):", title, *body])


def _numpy(node: ast.expr, fixed: Mapping[str, float]) -> ast.expr:
    """Return a checked tree as NumPy has it."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return ast.Constant(float(value))
        case ast.BinOp(left=left, op=op, right=right):
            first, second = _numpy(left, fixed), _numpy(right, fixed)
            if not _python_agrees(node, fixed):
                first = _call("float64", first)
            return ast.BinOp(first, op, second)
        case ast.UnaryOp(op=unary, operand=operand):
            return ast.UnaryOp(unary, _numpy(operand, fixed))
        case ast.Compare() | ast.BoolOp():
            # A truth is a number in an expression: two of them may be added.
            return ast.BinOp(_truth(node, fixed), ast.Mult(), ast.Constant(1.0))
        case ast.IfExp(test=test, body=body, orelse=orelse):
            branches = [_numpy(one, fixed) for one in (body, orelse)]
            return _call("where", _truth(test, fixed), *branches)
        case ast.Call(func=ast.Name(id="where"), args=[test, *branches]):
            return _call("where", _truth(test, fixed), *[_numpy(one, fixed) for one in branches])
        case ast.Call(func=ast.Name(id=name), args=args):
            ours = expressions.FUNCTIONS[name][0].__name__
            return _call(ours, *[_numpy(one, fixed) for one in args])
    return node


def _truth(node: ast.expr, fixed: Mapping[str, float]) -> ast.expr:
    """Return a condition; any number but 0 is true."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            terms = [_numpy(one, fixed) for one in (left, *others)]
            held: list[ast.expr] = [
                ast.Compare(first, [op], [second])
                for op, first, second in zip(ops, terms[:-1], terms[1:], strict=True)
            ]
            return _joined(held, "logical_and")
        case ast.BoolOp(op=both, values=parts):
            truths = [_truth(part, fixed) for part in parts]
            return _joined(truths, "logical_and" if isinstance(both, ast.And) else "logical_or")
    return _numpy(node, fixed)


def _joined(parts: list[ast.expr], name: str) -> ast.expr:
    result = parts[0]
    for part in parts[1:]:
        result = _call(name, result, part)
    return result


def _call(name: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(ast.Name("np", ast.Load()), name, ast.Load()), [*arguments], [])


def _python_agrees(node: ast.BinOp, fixed: Mapping[str, float]) -> bool:
    """Return whether Python's numbers do as NumPy's, which divide by 0 and overflow silently."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    if names & _MOVING or isinstance(node.op, ast.Add | ast.Sub | ast.Mult):
        return True
    values: dict[str, Any] = {name: np.float64(value) for name, value in fixed.items()}
    with np.errstate(all="ignore"):
        left, right, result = (
            expressions.evaluate(one, values) for one in (node.left, node.right, node)
        )
    return bool(np.isfinite(result) and (right != 0) and (left > 0))
