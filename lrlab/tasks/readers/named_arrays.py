"""Data sets of named arrays: an npz file, or a folder of npy files, which stay on the disk.

`x_train` and `y_train` are needed; `x_validation`, `x_test` and their `y_` may be there, and
`weight_train` with what each sample counts. Several inputs or targets are named behind the part:
`x_train_left` and `x_train_right` are the inputs `left` and `right`. Other arrays are not read.
"""

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lrlab.errors import DataError
from lrlab.io import npz, reading
from lrlab.io.npz import Array
from lrlab.tasks import labels
from lrlab.tasks.code import nearest
from lrlab.tasks.part_flaws import require_sound
from lrlab.tasks.parts import Given, Part, Tree

WANTED = (
    "`x_train` and `y_train`, and optionally `x_validation`, `y_validation`, `x_test`, `y_test` "
    "and `weight_train`; of several inputs, `x_train_NAME`"
)
_NAME = re.compile(r"(x|y|weight)_(train|validation|val|test)(?:_(.+))?")
_MOST_ARRAYS = 1_000

SMALL = 24_000_000
MOST_UNPACKED = 100
"""The arrays may take `SMALL` bytes, or so many times what the file does; zeros pack 1000 to 1."""


def read_npz(path: Path) -> Given:
    """Read an npz file whole.

    The arrays may take 24 MB, or 100 times what the file does.

    Raises:
        DataError: If it cannot be read, is damaged, lacks an array, or has a flaw.
    """
    try:
        with reading.open_file(path) as file:
            limit = max(SMALL, MOST_UNPACKED * os.fstat(file.fileno()).st_size)
            wanted = _wanted(npz.names(file), f"`{path}`")
            arrays = npz.read(file, wanted, limit)
    except npz.NotNumbers as error:
        raise _not_numbers(path, error) from error
    except FileNotFoundError as error:
        raise DataError(
            f"there is no file `{path}`",
            "paths in a config are relative to its folder, paths after `--data` to the current one",
        ) from error
    except (OSError, ValueError, MemoryError) as error:
        raise DataError(
            f"`{path}` is not a readable npz file: {reading.reason(error)}",
            f"it takes {WANTED}; write it with `numpy.savez_compressed`",
        ) from error
    return _given(arrays, path)


def train_rows(path: Path) -> int:
    """Return how many examples to train on an npz file holds, from a header alone.

    Raises:
        DataError: If the file is no npz or has no `x_train`.
    """
    try:
        with reading.open_file(path) as file:
            names = [name for name in npz.names(file) if name.startswith("x_train")]
            header = npz.header(file, names[0]) if names else None
    except (OSError, ValueError) as error:
        raise DataError(
            f"`{path}` is not a readable npz file: {reading.reason(error)}", f"it takes {WANTED}"
        ) from error
    if header is None:
        raise DataError(f"`{path}` has no `x_train`", f"it takes {WANTED}")
    return header.shape[0] if header.shape else 0


def read_npy_folder(folder: Path) -> Given:
    """Map the npy files of a folder into memory: what is not used is never read.

    Raises:
        DataError: If a file cannot be read, is no array of numbers, lacks values, or has a flaw.
    """
    names = [name.removesuffix(".npy") for name in reading.names(folder) if name.endswith(".npy")]
    wanted = _wanted(names, f"`{folder}`")
    return _given({name: _mapped(folder / f"{name}.npy", name) for name in wanted}, folder)


def _mapped(path: Path, name: str) -> Array:
    try:
        with reading.open_file(path) as file:
            header, start = npz.npy_header(file, name)
            size = os.fstat(file.fileno()).st_size
            if size != start + header.size:
                raise ValueError(
                    f"it claims the shape {header.shape}, which does not fit its {size:,} bytes"
                )
            if not header.size:
                return np.empty(header.shape, header.dtype)
            order: Any = "F" if header.fortran else "C"
            return np.memmap(file, header.dtype, "r", start, header.shape, order)
    except npz.NotNumbers as error:
        raise _not_numbers(path.parent, error) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"`{path}` is not a readable npy file: {reading.reason(error)}",
            "write it with `numpy.save`",
        ) from error


def _wanted(names: Collection[str], source: str) -> list[str]:
    """Return those names that belong to the data set, sorted."""
    wanted = sorted(name for name in names if _NAME.fullmatch(name))
    if len(wanted) > _MOST_ARRAYS:
        raise DataError(f"{source} has {len(wanted):,} arrays, more than {_MOST_ARRAYS:,}")
    kinds = {name[:7] for name in wanted}
    for needed in ("x_train", "y_train"):
        if needed not in kinds:
            others = [name for name in names if name not in wanted]
            raise DataError(
                f"{source} has no `{needed}`{nearest(needed, others)}", f"it takes {WANTED}"
            )
    return wanted


def _given(arrays: Mapping[str, Array], path: Path) -> Given:
    found: dict[str, dict[str, dict[str, Array]]] = {}
    for name, array in arrays.items():
        kind, part, own = _NAME.fullmatch(name).groups()  # type: ignore[union-attr]
        part = "validation" if part == "val" else part
        here = found.setdefault(part, {}).setdefault(kind, {})
        if (own or "") in here:
            raise DataError(f"`{path}` has `{kind}_val` and `{kind}_validation`", "leave out one")
        here[own or ""] = array
    parts = {part: _part(part, kinds, path) for part, kinds in found.items()}
    given = Given(parts["train"], parts.get("validation"), parts.get("test")).scaled(True)
    require_sound(given, f"`{path}`")
    return given


def _part(name: str, kinds: Mapping[str, dict[str, Array]], path: Path) -> Part:
    for kind, other in (("x", "y"), ("y", "x")):
        if kind not in kinds:
            raise DataError(
                f"`{path}` has `{other}_{name}` and no `{kind}_{name}`", f"it takes {WANTED}"
            )
    weight = _tree(kinds["weight"], f"weight_{name}", path) if "weight" in kinds else None
    if isinstance(weight, dict):
        raise DataError(
            f"`{path}` has several `weight_{name}`", "a sample has one weight for all targets"
        )
    x, y = (_tree(kinds[kind], f"{kind}_{name}", path) for kind in ("x", "y"))
    return Part(x, y, weight if isinstance(weight, np.ndarray) else None)


def _tree(arrays: dict[str, Array], name: str, path: Path) -> Tree:
    if "" not in arrays:
        return arrays
    if len(arrays) > 1:
        other = next(own for own in arrays if own)
        raise DataError(
            f"`{path}` has both `{name}` and `{name}_{other}`",
            "give one array, or several that all have a name",
        )
    return arrays[""]


def _not_numbers(path: Path, error: npz.NotNumbers) -> DataError:
    if error.name.startswith("y_"):
        found = labels.flaw_of_kind(error.descr, error.name)
        return DataError(f"`{path}`: {found.found}", found.remedy)
    return DataError(f"`{path}`: {error}", "turn it into numbers first")
