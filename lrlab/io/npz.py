"""Arrays read from npz files that may hold anything, and written into npz files reproducibly.

`numpy.load` makes an array of the shape that a header claims and inflates whatever it meets, so a
file of a few kilobytes fills the memory. Here every claim is compared with the others first.
"""

import io
import math
import re
import zipfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_PIECE = 1 << 20
_MAX_HEADER = 10_000
_NUMBERS = "biuf"
# Python's bz2 and lzma inflate a few bytes to gigabytes in one step.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The header as NumPy and all others write it; it is never evaluated.
_HEADER = re.compile(
    r"\{'descr': '(?P<descr>[<>|=]?[a-zA-Z][0-9]{0,9})', "
    r"'fortran_order': (?P<fortran>True|False), "
    r"'shape': \((?P<shape>(?:[0-9]{1,15}(?:, ?[0-9]{1,15}){0,31},?)?)\),? ?\}\s*",
    re.ASCII,
)


class NotNumbers(ValueError):
    """An array that holds something else than numbers.

    Attributes:
        name: The array.
        descr: Its type as in its header: `<U3`, `|O`.
    """

    def __init__(self, name: str, descr: str) -> None:
        super().__init__(f"`{name}` holds {descr}, not numbers")
        self.name, self.descr = name, descr


@dataclass(frozen=True)
class Header:
    """What an array's header claims."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


class _Piecewise:
    """A file that is read in pieces of limited size: `zipfile` reads a directory in one go."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size > 4 * _PIECE:
            raise zipfile.BadZipFile("its directory is too large")
        return self._file.read(4 * _PIECE if size < 0 else size)


@contextmanager
def _archive(file: BinaryIO) -> Iterator[zipfile.ZipFile]:
    """Open a zip file; whatever goes wrong with it is a `ValueError`."""
    try:
        with zipfile.ZipFile(_Piecewise(file)) as archive:
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OverflowError) as error:
        # What zipfile does not implement, and what is encrypted, is a RuntimeError.
        raise ValueError(str(error) or type(error).__name__) from error


def header(file: BinaryIO, name: str) -> Header | None:
    """Return what an array is, without reading its values; None if there is no array of that name.

    Raises:
        ValueError: If the file is damaged.
        OSError: If it cannot be read.
    """
    with _archive(file) as archive:
        if f"{name}.npy" not in archive.namelist():
            return None
        with _member(archive, name) as (_, claimed):
            return claimed


def names(file: BinaryIO) -> list[str]:
    """Return the names of all arrays, in the order of the file.

    Raises:
        ValueError: If the file is damaged.
        OSError: If it cannot be read.
    """
    with _archive(file) as archive:
        members = archive.namelist()
    return [member.removesuffix(".npy") for member in members if member.endswith(".npy")]


def npy_header(file: BinaryIO, name: str) -> tuple[Header, int]:
    """Return what the array of an npy file is, and where its values begin.

    Args:
        file: The npy file, open for reading at its start.
        name: What errors call the array.

    Raises:
        ValueError: If it is no array of numbers.
        OSError: If it cannot be read.
    """
    return _header(file, name)


def headers(file: BinaryIO, names: Collection[str], limit: int) -> dict[str, Header]:
    """Return what those of the named arrays are that the file holds, without reading their values.

    Raises:
        ValueError: As `read` would.
        OSError: If it cannot be read.
    """
    found: dict[str, Header] = {}
    for name in names:
        claimed = header(file, name)
        if claimed is not None:
            limit = _left(limit, name, claimed)
            found[name] = claimed
    return found


def _left(limit: int, name: str, claimed: Header) -> int:
    if claimed.size > limit:
        raise ValueError(f"`{name}` would take {claimed.size:,} bytes of memory")
    return limit - claimed.size


def read(
    file: BinaryIO, names: Collection[str] | None, limit: int, *, compressed: bool = True
) -> dict[str, Array]:
    """Return those of the named arrays that the file holds.

    Args:
        file: The npz file, open for reading.
        names: Names of arrays, others in the file are not looked at; None for all there are.
        limit: Bytes that the arrays may take together.
        compressed: Whether they may be compressed.

    Raises:
        ValueError: If the file is damaged, or an array holds no numbers or is too large.
        OSError: If it cannot be read.
    """
    arrays: dict[str, Array] = {}
    with _archive(file) as archive:
        members = [member for member in archive.namelist() if member.endswith(".npy")]
        held = [member.removesuffix(".npy") for member in members]
        for name in held if names is None else [name for name in names if name in held]:
            if not compressed and archive.getinfo(f"{name}.npy").compress_type:
                raise ValueError("it is compressed")
            with _member(archive, name) as (member, claimed):
                limit = _left(limit, name, claimed)
                arrays[name] = _values(member, name, claimed)
    return arrays


@contextmanager
def _member(archive: zipfile.ZipFile, name: str) -> Iterator[tuple[Any, Header]]:
    """Open an array; yield the file at its first value, and its header."""
    info = archive.getinfo(f"{name}.npy")
    if info.compress_type not in _METHODS:
        raise ValueError(f"`{name}` is packed by another method than numpy's")
    with archive.open(info.filename) as member:
        claimed, length = _header(member, name)
        if length + claimed.size != info.file_size:
            raise ValueError(
                f"`{name}` claims the shape {claimed.shape}, which does not fit its "
                f"{info.file_size:,} bytes"
            )
        yield member, claimed


def _header(member: Any, name: str) -> tuple[Header, int]:
    """Return an array's header, and its length in bytes."""
    start = member.read(8)
    if len(start) < 8 or start[:6] != b"\x93NUMPY" or start[6] not in (1, 2, 3):
        raise ValueError(f"`{name}` is not an array")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(member.read(width), "little")
    if length > _MAX_HEADER:
        raise ValueError(f"`{name}` has a header of {length:,} bytes")
    found = _HEADER.fullmatch(member.read(length).decode("latin-1"))
    if found is None:
        raise ValueError(f"`{name}` does not have the header of a plain array")
    shape = tuple(int(axis) for axis in re.findall(r"[0-9]+", found["shape"]))
    return Header(shape, _numbers(found["descr"], name), found["fortran"] == "True"), (
        8 + width + length
    )


def _numbers(descr: str, name: str) -> np.dtype[Any]:
    try:
        if descr.lstrip("<>|=")[0] in _NUMBERS:
            return np.dtype(descr)
    except TypeError:
        pass
    raise NotNumbers(name, descr)


def _values(member: Any, name: str, claimed: Header) -> Array:
    content = np.empty(claimed.size, np.uint8)
    filled = 0
    # Asked for more than there is, zipfile compares the checksum.
    while piece := member.read(_PIECE):
        content[filled : filled + len(piece)] = np.frombuffer(piece, np.uint8)
        filled += len(piece)
    if filled < claimed.size:
        raise ValueError(f"`{name}` ends after {filled:,} of {claimed.size:,} bytes")
    order: Any = "F" if claimed.fortran else "C"
    return content.view(claimed.dtype).reshape(claimed.shape, order=order)


def pack(arrays: Mapping[str, npt.ArrayLike]) -> bytes:
    """Return an npz file that holds the arrays in their order, uncompressed.

    >>> pack({"a": np.arange(3)}) == pack({"a": np.arange(3)})
    True
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, values in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(values), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), member.getvalue())
    return packed.getvalue()


def unpack(content: bytes) -> dict[str, Array]:
    """Return the arrays of an npz file that `pack` has made, in their order.

    No array is larger than the file, whatever its header says; objects are refused.

    Raises:
        ValueError: If it is anything else.

    >>> unpack(pack({"a": [1.5, 2.0]}))
    {'a': array([1.5, 2. ])}
    """
    return read(io.BytesIO(content), None, len(content), compressed=False)
