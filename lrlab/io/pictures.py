"""Figures and reports that show whether they are as they were written.

A PNG has a checksum for each of its chunks. An SVG, a PDF and a report end with a comment of ours,
the SHA-256 of all before it; versions before 0.2 did not write it.
"""

import hashlib
import zlib
from pathlib import Path

from lrlab.io import reading

MAX_BYTES = 100_000_000

_PNG = b"\x89PNG\r\n\x1a\n"
_COMMENTS = {"svg": b"<!-- sha256:%s -->\n", "pdf": b"%%sha256:%s\n",
             "html": b"<!-- sha256:%s -->\n"}  # fmt: skip
_ENDS = {"svg": b"</svg>\n", "pdf": b"%%EOF\n", "html": b"</html>\n"}


def sign(content: bytes, kind: str) -> bytes:
    """Return a figure with its checksum, where its format has none of its own."""
    if kind not in _COMMENTS:
        return content
    return content + _comment(content, kind)


def check(path: Path) -> bool:
    """Return whether a figure is signed; if it is, it is as it was written.

    Raises:
        OSError: If it cannot be read.
        ValueError: If it is not as it was written.
    """
    content, kind = reading.read_bytes(path, MAX_BYTES), path.suffix.lstrip(".")
    if kind not in _COMMENTS:
        _check_png(content)
        return True
    length = len(_comment(b"", kind))
    if content.endswith(_ENDS[kind]) and content.count(b"sha256:") == 0:
        return False
    if content[-length:] != _comment(content[:-length], kind):
        raise ValueError("its checksum is not that of its content")
    return True


def _comment(content: bytes, kind: str) -> bytes:
    return _COMMENTS[kind] % hashlib.sha256(content).hexdigest().encode()


def _check_png(content: bytes) -> None:
    """Compare the checksum of every chunk."""
    if content[:8] != _PNG:
        raise ValueError("it does not begin as a PNG does")
    at, kind = 8, b""
    while at + 12 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind, end = content[at + 4 : at + 8], at + 8 + length
        if zlib.crc32(content[at + 4 : end]) != int.from_bytes(content[end : end + 4], "big"):
            raise ValueError("the checksum of one of its parts is wrong")
        at = end + 4
    if at != len(content) or kind != b"IEND":
        raise ValueError("it does not end as a PNG does")
