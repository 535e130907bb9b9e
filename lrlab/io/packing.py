"""Arrays as an npz file whose bytes depend on the arrays alone, read back without trust.

NumPy's own writer puts the time into the file, and its reader allocates what a header claims.
"""

import io
import zipfile
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from lrlab.io import npz_reading
from lrlab.io.npz_reading import Array


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
    return npz_reading.read(io.BytesIO(content), None, len(content), compressed=False)
