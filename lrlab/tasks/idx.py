"""The IDX format of MNIST, packed by gzip: a magic number, the axes, one byte a value."""

import math
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from lrlab.errors import DataError

MAX_BYTES = 64_000_000
"""The most that a file may unpack to; Fashion-MNIST's largest has 47 million bytes."""

_UNSIGNED_BYTES = 8
_GZIP = 31  # zlib's sign for a gzip header and checksum.


def read(path: Path, packed: bytes, axes: int) -> npt.NDArray[np.uint8]:
    """Return the array of an IDX file.

    Args:
        path: The file, as errors call it.
        packed: What it holds.
        axes: How many axes the array must have: 3 for images, 1 for labels.

    Returns:
        The array, uint8.

    Raises:
        DataError: If it is damaged or another array.
    """
    try:
        return _array(_unpacked(packed), axes)
    except (ValueError, zlib.error) as error:
        raise DataError(
            f"`{path}` is not an IDX file of {'images' if axes == 3 else 'labels'}: {error}",
            "get the original file of the data set again",
        ) from error


def _unpacked(packed: bytes) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    content = unpacker.decompress(packed, MAX_BYTES)
    if unpacker.unconsumed_tail:
        raise ValueError(f"it unpacks to more than {MAX_BYTES:,} bytes")
    if not unpacker.eof:
        raise ValueError("it is truncated")
    if unpacker.unused_data:
        raise ValueError(f"{len(unpacker.unused_data):,} bytes follow its end")
    return content


def _array(content: bytes, axes: int) -> npt.NDArray[np.uint8]:
    start = 4 + 4 * axes
    if content[:4] != bytes((0, 0, _UNSIGNED_BYTES, axes)):
        raise ValueError(f"it starts with the bytes {content[:4].hex(' ') or 'of an empty file'}")
    if len(content) < start:
        raise ValueError("its header is truncated")
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    if math.prod(shape) != len(content) - start:
        raise ValueError(
            f"it claims the shape {shape}, which does not fit {len(content) - start:,} bytes"
        )
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
