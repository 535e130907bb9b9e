"""Arrays as an npz file whose bytes depend on the arrays alone, read back without trust.

NumPy's own writer puts the time into the file, and its reader allocates what a header claims.
"""

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


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
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ValueError("it is compressed")
            if sum(member.file_size for member in members) > len(content):
                raise ValueError("its members overlap")
            return {m.filename.removesuffix(".npy"): _array(archive.read(m)) for m in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise ValueError(f"it is no npz file: {error}") from error


def _array(content: bytes) -> Array:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"its format version {version} is unknown")
    shape, fortran_order, dtype = _HEADERS[version](file)
    data = content[file.tell() :]
    if dtype.hasobject or fortran_order:
        raise ValueError(f"it holds {dtype}, not plain numbers")
    if any(length < 0 for length in shape) or math.prod(shape) * dtype.itemsize != len(data):
        raise ValueError(f"an array of shape {shape} does not fit its {len(data)} bytes")
    return np.frombuffer(data, dtype).reshape(shape) if data else np.empty(shape, dtype)
