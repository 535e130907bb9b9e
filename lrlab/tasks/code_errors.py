"""What a user's own code did wrong, told with the frames of that code only."""

import linecache
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from lrlab.errors import CodeError
from lrlab.tasks.code import nearest
from lrlab.tasks.code_sources import below

_MOST_FRAMES = 8
_MOST_LINES = 10
_MOST_CHARACTERS = 400

IsTheirs = Callable[[str], bool]


def failed(
    what: str, error: BaseException, root: Path, is_theirs: IsTheirs, when: str = ""
) -> CodeError:
    """Return the error that tells of an exception in a user's code.

    Args:
        what: What was imported or called, as messages call it.
        error: The exception.
        root: The folder that paths are shown relative to.
        is_theirs: Whether a file belongs to the user's code.
        when: When that was, as " while it was imported".
    """
    frames = _frames(error, root, is_theirs)
    if isinstance(error, SystemExit):
        code = "" if error.code is None else repr(error.code)
        return CodeError(
            f"`{what}` called `sys.exit({code})`{when}",
            'put what a program does under `if __name__ == "__main__":`',
            details=frames,
        )
    first, *rest = _text(error).split("\n")
    said = f": {_cut(first)}" if first else ""
    more = [f"  {_cut(line)}" for line in rest[:_MOST_LINES]]
    if len(rest) > _MOST_LINES:
        more.append(f"  ... ({len(rest) - _MOST_LINES} more lines)")
    return CodeError(
        f"`{what}` raised {type(error).__name__}{when}{said}",
        _remedy(error),
        details=(*more, *frames),
    )


def not_python(label: str, error: SyntaxError | ValueError, source: bytes) -> CodeError:
    """Return the error that says where a file is not valid Python."""
    if not isinstance(error, SyntaxError) or error.lineno is None:
        return CodeError(f"`{label}` is not valid Python: {error}")
    lines = source.decode("utf-8", "replace").splitlines()
    line = lines[error.lineno - 1] if 0 < error.lineno <= len(lines) else error.text or ""
    return CodeError(
        f"`{label}` is not valid Python: {error.msg}",
        details=(f"  {label}:{error.lineno}", f"    {_cut(line.strip())}"),
    )


def module_missing(
    label: str, error: ModuleNotFoundError, root: Path, is_theirs: IsTheirs, beside: Iterable[str]
) -> CodeError:
    """Return the error that says which module a user's code wanted, and where it did.

    Args:
        label: The file or module whose import failed.
        error: What Python said.
        root: The folder that paths are shown relative to.
        is_theirs: Whether a file belongs to the user's code.
        beside: Modules that lie beside the code.
    """
    name = error.name or _text(error)
    return CodeError(
        f"`{label}` needs the module `{name}`, which is not there{nearest(name, beside)}",
        f"install it for `{sys.executable}`, or correct the name",
        details=_frames(error, root, is_theirs),
    )


def wrong_return(reference: str, expected: str, value: Any) -> CodeError:
    """Return the error that says what a function should have returned, and what it did.

    Args:
        reference: The function as it was referred to.
        expected: What was expected, with its article.
        value: What came.

    Example:
        >>> wrong_return("nets.py:build", "a Keras model", None).message
        '`nets.py:build` must return a Keras model, got None'
    """
    hint = "does it end with `return`?" if value is None else None
    return CodeError(f"`{reference}` must return {expected}, got {described(value)}", hint)


def described(value: Any) -> str:
    """Return in a few words what a value is.

    Example:
        >>> described((1.5, [1, 2], None)), described({"a": 1})
        ('a tuple of float, list of 2 and None', 'a dict with `a`')
    """
    if isinstance(value, tuple) and 0 < len(value) <= 5:
        inner = [_short(each) for each in value]
        listed = inner[0] if len(inner) == 1 else f"{', '.join(inner[:-1])} and {inner[-1]}"
        return f"a tuple of {listed}"
    if isinstance(value, dict) and 0 < len(value) <= 8:
        return f"a dict with {', '.join(f'`{_cut(str(key))}`' for key in value)}"
    return _short(value)


def _short(value: Any) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return f"{name} of shape {shape}"
    return f"{name} of {len(value)}" if isinstance(value, list | tuple | dict | str) else name


def _frames(error: BaseException, root: Path, is_theirs: IsTheirs) -> tuple[str, ...]:
    linecache.checkcache()
    frames = traceback.extract_tb(error.__traceback__)
    theirs = [frame for frame in frames if is_theirs(frame.filename)]
    left_out = len(theirs) - _MOST_FRAMES
    lines: list[str] = []
    for number, frame in enumerate(theirs):
        if left_out > 0 and number == _MOST_FRAMES // 2:
            lines.append(f"  ... ({left_out} more calls)")
        if left_out <= 0 or not _MOST_FRAMES // 2 <= number < _MOST_FRAMES // 2 + left_out:
            place = f"{below(Path(frame.filename), root)}:{frame.lineno}"
            lines.append(f"  {place}" + ("" if frame.name == "<module>" else f", in {frame.name}"))
            lines += [f"    {_cut(frame.line)}"] if frame.line else []
    return tuple(lines)


def _remedy(error: BaseException) -> str | None:
    if isinstance(error, ImportError) and "no known parent package" in _text(error):
        return (
            "relative imports need a package: refer to it as package.module:FUNCTION, or import "
            "the file beside it by its name"
        )
    if isinstance(error, ValueError) and "truth value of an array" in _text(error):
        return "`if` takes one value and not an array: use `np.where(condition, a, b)`"
    if isinstance(error, TypeError) and "converted to Python scalars" in _text(error):
        return "functions of `math` take one value and not an array: use NumPy's, as `np.cos`"
    return None


def _text(error: BaseException) -> str:
    try:
        return str(error).strip()
    except Exception:  # A stranger's `__str__` may do anything.
        return ""


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else text[: _MOST_CHARACTERS - 3] + "..."
