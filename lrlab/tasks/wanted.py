"""The data that an experiment asks for, before anything is looked for or run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lrlab.tasks import code
from lrlab.tasks.split import Split, parsed

BUILT_IN = ("auto", "fashion-mnist", "sketches")
EMBEDDED = ("cycling", "sentences")
"""Data sets that lrlab makes itself, beside `sketches`."""

FILES = (".npz", ".csv")
KERAS = "keras:"


def is_file(text: str) -> bool:
    """Return whether a text names a file: of data, or of code.

    Example:
        >>> [is_file(text) for text in ("a.npz", "nets.py:build", "my.nets:build", "mlp")]
        [True, True, False, False]
    """
    return text.endswith((*FILES, ".keras", ".py")) or ".py:" in text


@dataclass(frozen=True)
class Wanted:
    """What an experiment states about its data; equal ones are read once.

    Args:
        name: A built-in name, `keras:NAME`, the path of a file, or a reference to code.
        args: What is stated for the code, as JSON text.
        split: What is held out to validate on, None: as usual for the data.
        standardise: Whether inputs are standardised, None: as usual for the data.
    """

    name: str
    args: str = "{}"
    split: Split | None = None
    standardise: bool | None = None

    @classmethod
    def of(
        cls,
        name: str,
        args: Mapping[str, Any] | None = None,
        validation: str | int | None = None,
        scale: str | None = None,
    ) -> "Wanted":
        """Return what a config states by its keys `data`, `validation` and `scale`."""
        return cls(
            name,
            json.dumps(dict(args or {}), sort_keys=True),
            None if validation is None else parsed(str(validation)),
            None if scale is None else scale == "standard",
        )

    @property
    def is_code(self) -> bool:
        """Whether a user's function gives the data."""
        return code.is_code(self.name)
