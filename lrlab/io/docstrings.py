"""Docstrings that are shown to users: the help of commands, the summaries of schedules."""

import ast
import contextlib
import inspect
import sys
import textwrap
from typing import Any


def docstring(of: Any) -> str:
    """Return the docstring of a function or a class, empty without one.

    `PYTHONOPTIMIZE=2` drops docstrings; then it is read from the source.
    """
    if sys.flags.optimize < 2:
        return inspect.getdoc(of) or ""
    with contextlib.suppress(OSError, TypeError, SyntaxError):
        statement = ast.parse(textwrap.dedent(inspect.getsource(of))).body[0]
        if isinstance(statement, ast.FunctionDef | ast.ClassDef):
            return ast.get_docstring(statement) or ""
    return ""
