"""Arrays as npz bytes: stable, read by NumPy, and never larger than the file says it is."""

import io
import pickle
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lrlab.io.npz import pack, unpack

plain = arrays.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_]),
    arrays.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


@given(st.dictionaries(st.text("abc/_0", min_size=1, max_size=5), plain, max_size=4))
def test_arrays_survive_the_round_trip_and_numpy_reads_them_too(given):
    content = pack(given)
    with np.load(io.BytesIO(content), allow_pickle=False) as by_numpy:
        for found in (unpack(content), {name: by_numpy[name] for name in by_numpy.files}):
            assert list(found) == list(given)
            for name, array in given.items():
                assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
                assert found[name].tobytes() == array.tobytes()


def archive(content: bytes, compression: int = zipfile.ZIP_STORED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as made:
        made.writestr("a.npy", content)
    return packed.getvalue()


def member(header: str, data: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    text = header.encode().ljust(118) + b"\n"
    size = len(text).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + size + text + data


def shaped(shape: str, data: bytes = bytes(8), descr: str = "'<f8'") -> bytes:
    return archive(member(f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}", data))


def overlapping() -> bytes:
    """Two entries of the directory that lead to the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as made:
        made.writestr("a.npy", bytes(500))
        made.filelist *= 3
    return packed.getvalue()


HOSTILE = {
    "nothing": b"",
    "no zip": b"PK\x03\x04" + bytes(100),
    "compressed": archive(bytes(10**6), zipfile.ZIP_DEFLATED),
    "overlapping": overlapping(),
    "no npy": archive(b"hello"),
    "empty member": archive(b""),
    "shape of terabytes": shaped("(1000000000000,)"),
    "negative shape": shaped("(-1,)"),
    "two negative lengths": shaped("(-1, -1)"),
    "shape that wraps round": shaped("(4294967296, 4294967296, 2)"),
    "shape of floats": shaped("(1.5,)"),
    "shape by a call": shaped("(__import__('os').getpid(),)"),
    "objects": shaped("()", pickle.dumps([]), descr="'|O'"),
    "nested objects": shaped("()", descr="[('a', '|O')]"),
    "too few bytes": shaped("(2,)"),
    "too many bytes": shaped("()", bytes(9)),
    "future version": archive(member("{}", version=b"\x09\x00")),
    "endless header": archive(b"\x93NUMPY\x02\x00" + b"\xff" * 4 + bytes(50)),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_anything_else_is_a_value_error(name):
    with pytest.raises(ValueError, match=r"\w"):
        unpack(HOSTILE[name])
