"""References to a user's own code, and whether that code may run.

Nothing here imports or runs what is referred to: a config, a results directory or a data set can
name code as it likes, and only the command line, or Python, can consent to it.
"""

import difflib
import os
import re
import shlex
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from lrlab.errors import CodeError

Origin: TypeAlias = Path | str
"""Where code comes from: a file, by its absolute path, or a module, by its dotted name."""

FORMS = "FILE.py:FUNCTION or package.module:FUNCTION"

_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_FILE = re.compile(rf"(?P<origin>.*[^/\\:]\.py):(?P<function>{_NAME})")
_MODULE = re.compile(rf"(?P<origin>{_NAME}):(?P<function>{_NAME})")
_OLD = (".h5", ".hdf5")
# `keras:mnist` names a data set.
_NOT_A_MODULE = "keras"


@dataclass(frozen=True)
class CodeReference:
    """A function in a file or module, or a `.keras` file, which can hold code as well.

    Args:
        text: As it was written.
        origin: The file or module.
        function: The function, None for a `.keras` file; `Class.method` is one too.
    """

    text: str = field(compare=False)
    origin: Origin
    function: str | None

    @property
    def is_keras_file(self) -> bool:
        """Whether it is a saved model rather than a function."""
        return self.function is None

    @property
    def label(self) -> str:
        """What messages call where it comes from: the name of the file, or the module."""
        return self.origin.name if isinstance(self.origin, Path) else self.origin

    @property
    def import_string(self) -> str:
        """The reference without its folder, so that a project may move."""
        return f"{self.label}:{self.function}" if self.function else self.label


PATTERN = rf"(\.py|\.py:.*|\.keras|^(?!{_NOT_A_MODULE}:){_NAME}:{_NAME})$"
"""What `is_code` goes by, for a JSON Schema, which has no functions."""


def is_code(text: str) -> bool:
    """Return whether a text is meant as a reference to code, sound or not.

    Example:
        >>> [is_code(text) for text in ("nets.py:build", "a.keras", "my.nets:build", "nets.py")]
        [True, True, True, True]
        >>> [is_code(text) for text in ("mlp", "keras:mnist", "data.npz", "C:/data.npz")]
        [False, False, False, False]
    """
    if text.endswith((".py", ".keras", *_OLD)) or ".py:" in text or ".keras:" in text:
        return True
    module = _MODULE.fullmatch(text)
    return module is not None and module["origin"] != _NOT_A_MODULE


def parse(text: str, folder: Path) -> CodeReference:
    """Return what a text refers to; nothing is looked for, read or run.

    Args:
        text: `FILE.py:FUNCTION`, `package.module:FUNCTION` or `FILE.keras`.
        folder: What a relative FILE counts from.

    Raises:
        CodeError: If it is none of the three.

    Example:
        >>> reference = parse("nets.py:build", Path("/project"))
        >>> reference.function, reference.import_string
        ('build', 'nets.py:build')
    """
    if text.endswith(".keras"):
        return CodeReference(text, _file(text, folder), None)
    if found := _FILE.fullmatch(text):
        return CodeReference(text, _file(found["origin"], folder), found["function"])
    found = _MODULE.fullmatch(text)
    if found and not found["origin"].endswith(".keras"):
        return CodeReference(text, found["origin"], found["function"])
    raise _unsound(text)


def origin(text: str, folder: Path) -> Origin:
    """Return what the command line consents to: where the code comes from, whatever the function.

    Args:
        text: `nets.py`, `nets.py:build`, `package.module`, `package.module:build`, `model.keras`.
        folder: What a relative file counts from, the current one on the command line.

    Raises:
        CodeError: If it is neither a file of code nor a module.
    """
    if text.endswith(".py"):
        return _file(text, folder)
    if re.fullmatch(_NAME, text) and not text.endswith((".keras", *_OLD)):
        return text
    return parse(text, folder).origin


def consents(reference: CodeReference, trusted: Iterable[Origin]) -> bool:
    """Return whether the command line named the same file or module, links followed."""
    return _resolved(reference.origin) in {_resolved(each) for each in trusted}


def require_consent(reference: CodeReference, trusted: Collection[Origin]) -> None:
    """Make sure that the command line named the same file or module.

    Raises:
        CodeError: If it did not; it says which option consents.
    """
    if not consents(reference, trusted):
        raise CodeError(
            f"`{reference.text}` is code, and code runs only if the command line names it",
            f"if you trust it, add `--trust {shlex.quote(shown(reference.origin))}`",
        )


def shown(place: Origin) -> str:
    """Return a file or module as one would type it here."""
    if isinstance(place, str):
        return place
    try:
        return str(place.relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(place)


def nearest(name: str, names: Iterable[str]) -> str:
    """Return `; did you mean ...?` with the nearest of some names, nothing if none is near.

    Example:
        >>> nearest("widht", ["width", "depth"])
        '; did you mean `width`?'
    """
    close = difflib.get_close_matches(name, sorted(names), n=3, cutoff=0.6)
    return f"; did you mean {' or '.join(f'`{each}`' for each in close)}?" if close else ""


def _file(text: str, folder: Path) -> Path:
    path = Path(text)
    try:
        path = path.expanduser()
    except RuntimeError as error:
        raise CodeError(f"`{text}`: nobody knows where that home folder is") from error
    return Path(os.path.abspath(folder / path))


def _resolved(place: Origin) -> str:
    return f"{os.path.realpath(place)}" if isinstance(place, Path) else f"module {place}"


def _unsound(text: str) -> CodeError:
    if text.endswith(_OLD):
        return CodeError(
            f"`{text}` is of Keras' old format, which can run any code when it is read",
            "load it with Keras in a program of your own and save it as `.keras`",
        )
    if text.endswith(".py"):
        return CodeError(f"`{text}` names no function", f"write `{text}:FUNCTION`")
    name, colon, function = text.rpartition(":")
    if colon and name.endswith(".keras"):
        return CodeError(f"`{text}`: a `.keras` file has no functions", f"write `{name}`")
    if colon and name.endswith(".py"):
        return CodeError(
            f"`{function}` in `{text}` is not the name of a function", f"write `{name}:FUNCTION`"
        )
    return CodeError(f"`{text}` does not refer to code", f"write {FORMS}, or FILE.keras")
