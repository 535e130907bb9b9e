"""Files from outside: only regular ones, never more than was asked for."""

import errno

import pytest

from lrlab.io import reading


def test_a_file_is_read_up_to_the_limit(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert reading.read_bytes(path, 5) == b"12345"
    with pytest.raises(OSError, match="is larger than 4 bytes") as caught:
        reading.read_bytes(path, 4)
    assert caught.value.errno == errno.EFBIG
    assert reading.reason(caught.value) == "is larger than 4 bytes"


def test_a_file_with_nothing_in_it_but_a_size_takes_no_room(tmp_path):
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OSError, match="is larger than 1,000 bytes"):
        reading.read_bytes(path, 1000)


@pytest.mark.parametrize("name", ["a\0b", "\ud800"])
def test_a_name_that_no_file_has(name, tmp_path):
    with pytest.raises(OSError, match="is not a valid file name"):
        reading.open_file(tmp_path / name)


def test_a_missing_file_is_told_from_others(tmp_path):
    with pytest.raises(FileNotFoundError):
        reading.open_file(tmp_path / "none")


def test_a_reason_without_words_is_the_kind_of_error():
    assert reading.reason(MemoryError()) == "MemoryError"
