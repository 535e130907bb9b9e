"""The cases of the corpus: the files beside this one, and large or derived ones that are made."""

import functools
import gzip
import json
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from corpus import readers

from lrlab.io import npz

HERE = Path(__file__).parent
Content = Callable[[], bytes]

LEAST = b"schedule: {type: constant, lr: 0.1}\n"
MB = 1_000_000


def all_cases() -> Iterator[tuple[str, str, Content]]:
    """Yield kind, name and content of every case."""
    for kind in readers.READERS:
        yield from ((kind, path.name, path.read_bytes) for path in sorted((HERE / kind).iterdir()))
        yield from ((kind, name, content) for name, content in MADE.get(kind, {}).items())
        yield from ((kind, name, content) for name, content in derived(kind))


def derived(kind: str) -> Iterator[tuple[str, Content]]:
    """Yield a good file of a kind cut off in many places, and with one byte changed in many."""
    (good,) = (path for path in (HERE / kind).iterdir() if path.stem in ("good", "good-1cycle"))
    whole = good.read_bytes()
    for at in {round(share * len(whole) / 12) for share in range(12)}:
        yield f"cut at {at}", functools.partial(whole.__getitem__, slice(at))
        yield f"changed at {at}", functools.partial(_changed, whole, at)


def _changed(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes((whole[at] ^ 0xFF,)) + whole[at + 1 :]


def _nested(count: int, opening: str, closing: str) -> bytes:
    return (opening * count + closing * count).encode()


def _zeros(megabytes: int) -> bytes:
    """Return a deflate stream of zeros, quickly: one block many times over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(bytes(MB)) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * megabytes + packer.flush()


def _gzip_bomb(shape: tuple[int, ...]) -> bytes:
    head = struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH)
    return gzip.compress(b"")[:10] + start + _zeros(2_000) + bytes(8)


def _npy_header(shape: tuple[int, ...], dtype: str = "|u1") -> bytes:
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def _zip_bomb(megabytes: int, declared: int | None = None) -> bytes:
    """Return an npz file whose `x_train` unpacks to zeros; its directory may declare a lie."""
    head = _npy_header((megabytes * MB // 100, 100))
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = packer.compress(head) + packer.flush(zlib.Z_FULL_FLUSH) + _zeros(megabytes)
    labels = BytesIO()
    np.save(labels, np.arange(2))
    plain = labels.getvalue()
    size = len(head) + megabytes * MB if declared is None else declared
    body = directory = b""
    for name, method, crc, packed, unpacked in (
        (b"x_train.npy", 8, 0, bomb, size),
        (b"y_train.npy", 0, zlib.crc32(plain), plain, len(plain)),
    ):
        common = struct.pack(
            "<HHHHHIIIHH", 20, 0, method, 0, 0x21, crc, len(packed), unpacked, len(name), 0
        )
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + common
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + name
        body += b"PK\x03\x04" + common + name + packed
    end = struct.pack("<HHHHIIH", 0, 0, 2, 2, len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def _many_members(count: int) -> bytes:
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for index in range(count):
            archive.writestr(zipfile.ZipInfo(f"{index}{'a' * 90}"), b"")
    return packed.getvalue()


def _steps(**arrays: object) -> bytes:
    packed = BytesIO()
    np.savez(packed, **arrays)
    return packed.getvalue()


def _comparison(**changes: object) -> bytes:
    good = json.loads((HERE / "comparison.json" / "good.json").read_bytes())
    good["experiments"][0] |= changes
    return json.dumps(good).encode()


def _checkpoint(**arrays: bytes) -> bytes:
    """Return the good checkpoint with other bytes in some of its arrays."""
    good = npz.unpack(readers.checkpoint())
    return npz.pack(good | {k: np.frombuffer(v, np.uint8) for k, v in arrays.items()})


def _rows(count: int) -> bytes:
    head = readers.EPOCHS_CSV.split(b"\n")[0] + b"\n"
    return head + b"".join(b"%d,0.1,0.75,0.5,0.7,0.5625\n" % row for row in range(count))


NESTED = {
    "nested 10**6 lists": lambda: _nested(10**6, "[", "]"),
    "nested 10**6 mappings": lambda: _nested(10**6, '{"a":', "}"),
}
LARGE = {
    "15 MB of mappings": lambda: b"[" + b"{}," * (5 * MB - 1) + b"{}]",
    "200,000 keys": lambda: b"{" + b",".join(b'"%d":0' % i for i in range(200_000)) + b"}",
    "15 MB of one text": lambda: b'"' + b"a" * 15 * MB + b'"',
    "15 MB of one number": lambda: b"9" * 15 * MB,
    "15 MB of escapes": lambda: b'"' + b"\\u001b" * (15 * MB // 6) + b'"',
    "100 MB": lambda: b"[" + b"0," * (50 * MB),
}

MADE: dict[str, dict[str, Content]] = {
    "config": {
        "100 MB": lambda: LEAST + b"#" * 100 * MB,
        "10**5 keys": lambda: LEAST + b"".join(b"k%d: 1\n" % i for i in range(10**5)),
        "keys up to the size": lambda: LEAST + b"".join(b"%x: 1\n" % i for i in range(6_000)),
        "keys up to the number": lambda: LEAST + b"".join(b"%x: 1\n" % i for i in range(2_400)),
        "equal keys": lambda: LEAST + b"k: 1\n" * 1_000,
        "keys that are lists": lambda: LEAST + b"[]: 1\n" * 1_000,
        "10**6 boundaries": lambda: (
            b"schedule: {type: multistep, initial_lr: 1, boundaries: [" + b"1,\n" * 10**6 + b"]}\n"
        ),
        "boundaries without unit": lambda: (
            b"schedule: {type: multistep, initial_lr: 1, boundaries: [" + b"1," * 4_900 + b"]}\n"
        ),
        "2000 boundaries": lambda: (
            b"schedule: {type: multistep, initial_lr: 1, boundaries: ["
            + b",".join(b"%d steps" % step for step in range(1, 2_001))
            + b"]}\n"
        ),
        "phases of nothing": lambda: (
            b"schedule: {type: sequence, phases: [" + b"{}," * 2_000 + b"]}\n"
        ),
        "nested 10**6 lists": lambda: _nested(10**6, "[", "]"),
        "nested 20,000 lists": lambda: _nested(20_000, "[", "]"),
        "nested 20,000 mappings": lambda: _nested(12_000, "{a: ", ""),
        "20,000 dashes": lambda: b"- " * 20_000,
        "20,000 questions": lambda: b"? " * 20_000,
        "16,000 documents": lambda: b"---\n" * 12_000,
        "40 kB of one key": lambda: LEAST + b'"' + b"k" * 40_000 + b'": 1\n',
        "40 kB of quotes": lambda: LEAST + b"name: '" + b"''" * 20_000 + b"'\n",
        "40 kB of folded lines": lambda: LEAST + b"name: >\n" + b"  a\n\n" * 8_000,
        "40 kB of escapes": lambda: LEAST + b'name: "' + b"\\e[2J" * 8_000 + b'"\n',
        "40 kB of colons": lambda: b":" * 40_000,
        "40 kB of parameters": lambda: (
            b"schedule: {type: formula, expression: '1', parameters: {"
            + b",".join(b"k%d: 1" % i for i in range(2_400))
            + b"}}\n"
        ),
        "zeros": lambda: bytes(40_000),
        "every byte": lambda: LEAST + b"name: " + bytes(range(256)),
    },
    "idx-images": {
        "bomb": lambda: _gzip_bomb((2_000_000, 10, 100)),
        "100 MB": lambda: bytes(100 * MB),
        "good up to the limit": lambda: gzip.compress(
            struct.pack(">BBBB3I", 0, 0, 8, 3, 1000, 200, 200) + bytes(40 * MB), 1
        ),
    },
    "idx-labels": {"bomb": lambda: _gzip_bomb((2_000_000_000,))},
    "npz": {
        "bomb of 4 GB": lambda: _zip_bomb(4_000),
        "bomb of 1 GB, declared as 100 bytes": lambda: _zip_bomb(1_000, declared=100),
        "declared as 4 GB, 1 MB inside": lambda: _zip_bomb(1, declared=2**32 - 2),
        "20 MB of zeros": lambda: _zip_bomb(20),
        "50,000 members": lambda: _many_members(50_000),
        "100 MB of zeros": lambda: bytes(100 * MB),
        "10 MB of zip signs": lambda: b"PK\x05\x06" * (5 * MB // 2),
        "zip sign at the end": lambda: bytes(MB) + b"PK\x05\x06" + b"\xff" * 16 + bytes(2),
    },
    "epochs.csv": {
        "50,000 rows": lambda: _rows(50_000),
        "900,000 rows": lambda: _rows(50_000) * 18,
        "19 MB of one line": lambda: _rows(1) + b"1," * (19 * MB // 2),
        "19 MB of one number": lambda: _rows(1) + b"1," + b"9" * 19 * MB,
        "100 MB": lambda: b"\n" * 100 * MB,
    },
    "steps.npz": {
        "40 MB": lambda: _steps(lr=np.zeros(5 * MB, np.float32), loss=np.zeros(5 * MB, np.float32)),
        "bomb": lambda: _zip_bomb(4_000),
        "more than any run has": lambda: bytes(131 * MB),
    },
    "checkpoint": {
        "bomb": lambda: _zip_bomb(4_000),
        "100 MB": lambda: bytes(100 * MB),
        "about nested 10**6": lambda: _checkpoint(about=_nested(10**6, "[", "]")),
        "50,000 members": lambda: _many_members(50_000),
        "a variable of 40 MB": lambda: _checkpoint(model_0=bytes(40 * MB)),
    },
    "run.json": NESTED | LARGE,
    "sweep.json": NESTED
    | {
        "5 million losses": lambda: json.dumps(
            readers.sweep_about(steps=1_000_000, seeds=5)
        ).encode(),
        "more losses than that": lambda: json.dumps(
            readers.sweep_about(steps=1_000_000, seeds=6)
        ).encode(),
    },
    "sweep.csv": {
        "20 MB of one line": lambda: b"a" * 20 * MB,
        "20 MB after the header": lambda: readers.SWEEP_CSV + b"9" * 20 * MB,
        "20 MB of one loss": lambda: readers.SWEEP_CSV + b"0,2,1,1,1\n" * (2 * MB),
    },
    "comparison.json": NESTED
    | {
        "10**6 seeds": lambda: _comparison(seeds=[0] * 10**6),
        "10**5 notes": lambda: _comparison(notes=["a"] * 10**5),
        "a note of 10 MB": lambda: _comparison(notes=["\x1b" * MB]),
        "a name of 10 MB": lambda: _comparison(name="a" * 10 * MB),
        "a run of 10 MB": lambda: _comparison(runs=["runs/" + "a" * 10 * MB, "b"]),
        "10**5 rates": lambda: _comparison(chosen={str(i): 1.0 for i in range(10**5)}),
    },
}
