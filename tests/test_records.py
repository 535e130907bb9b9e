"""JSON as records: what fits comes back, what does not is named with its place."""

import enum
import json
import math
from dataclasses import dataclass, field
from typing import Annotated

import pytest

from lrlab.io import records
from lrlab.io.records import AtLeast0, Count, Number, Positive, Scalar, Text


class Kind(enum.StrEnum):
    A = "a"
    B = "b"


@dataclass(frozen=True)
class Point:
    at: Annotated[tuple[Number, ...], records.items(1)]
    name: Annotated[Text, records.form("[a-z]+")]


@dataclass(frozen=True, kw_only=True)
class Record:
    number: Number = 0.0
    least: AtLeast0 = 0.0
    count: Count = 0
    positive: Positive = 1
    text: Text = ""
    long: Text = ""
    scalar: Scalar = None
    kind: Kind = Kind.A
    maybe: Number | None = None
    point: Point | None = field(default=None, metadata=records.LEFT_OUT)
    table: Annotated[dict[str, Number], records.keys(2)] = field(default_factory=dict)


POINT = {"name": "a", "at": [1]}
GOOD = {
    "whole numbers are numbers": ("number", 3, 3.0),
    "infinity": ("number", -math.inf, -math.inf),
    "at the bound": ("least", 0, 0.0),
    "whole": ("count", 3, 3),
    "text": ("text", "a\x1b\n\u202e\ud800b", "a\x1b\n\u202e\ud800b"),
    "long": ("long", "a" * 5000, "a" * 5000),
    "null": ("maybe", None, None),
    "one of": ("kind", "b", Kind.B),
    "table": ("table", {"\x1b": 1}, {"\x1b": 1.0}),
    "scalar": ("scalar", True, True),
    "record": ("point", POINT, Point((1.0,), "a")),
    "other keys": ("point", POINT | {"x": []}, Point((1.0,), "a")),
}


@pytest.mark.parametrize(("key", "value", "found"), GOOD.values(), ids=GOOD.keys())
def test_what_fits(key, value, found):
    checked = getattr(records.checked({key: value}, Record), key)
    assert checked == found
    assert type(checked) is type(found)


def test_not_a_number_is_a_number():
    assert math.isnan(records.checked({"number": math.nan}, Record).number)


BAD = {
    "true is no number": ("number", True, "number must be a number, got `true`"),
    "true is no whole number": ("count", True, "count must be a whole number, got `true`"),
    "text is no number": ("number", "1", 'number must be a number, got `"1"`'),
    "list is no number": ("number", [1], "number must be a number, got a list"),
    "NaN has no bound": ("least", math.nan, "least must be a finite number, got `NaN`"),
    "too small": ("least", -1, "least must be at least 0.0, got `-1`"),
    "too large": ("positive", 10**10, "positive must be at most 1000000000, got `10000000000`"),
    "too large for a float": (
        "number", 10**400, "number must be a number of usual size, got a huge number"
    ),
    "too large to be written": (
        "count", 10**5000, "count must be at most 1099511627776, got a huge number"
    ),
    "decimal is not whole": ("count", 1.0, "count must be a whole number, got `1.0`"),
    "pattern": ("point", POINT | {"name": "a\n"},
                'point.name must be a text of the usual form, got `"a\\n"`'),
    "cut": ("number", "a" * 99, f'number must be a number, got `"{"a" * 40}..."`'),
    "none of": ("kind", ["a"], "kind must be a or b, got a list"),
    "null": ("text", None, "text must be a text, got `null`"),
    "nested": ("scalar", {}, "scalar must be a single value, got a mapping"),
    "keys": ("table", {"a": 1, "b": 2, "c": 3}, "table must hold at most 2 values, got 3"),
    "no mapping": ("point", 3, "point must be a mapping, got `3`"),
    "missing": ("point", {"name": "a"}, "`point.at` is missing"),
    "inner": ("point", POINT | {"at": [1, "x"]}, 'point.at.1 must be a number, got `"x"`'),
    "few": ("point", POINT | {"at": []}, "point.at must hold at least 1 values, got 0"),
    "odd key": ("table", {"\x1b\n": "x"}, 'table.\\u001b\\n must be a number, got `"x"`'),
}  # fmt: skip


@pytest.mark.parametrize(("key", "value", "words"), BAD.values(), ids=BAD.keys())
def test_what_does_not_fit(key, value, words):
    with pytest.raises(ValueError, match=r"\w") as caught:
        records.checked({key: value}, Record)
    assert str(caught.value) == words


def test_what_is_not_a_mapping_at_all():
    with pytest.raises(ValueError, match=r"^it must be a mapping, got a list$"):
        records.checked([1], Record)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b'{"a": 1, "a": 2}', "it states a key twice"),
        (b"[" * 10**5, "it is nested too deeply"),
        (b"9" * 5000, "Exceeds the limit"),
        ("{}".encode("utf-16"), "utf-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
    ],
)
def test_what_is_no_json(content, words):
    with pytest.raises(ValueError, match=r"\w") as caught:
        records.parse(content)
    assert words in str(caught.value)


def test_json_as_python_writes_it():
    assert records.parse(b'{"a": [NaN, -Infinity, 1e400]}')["a"][1:] == [-math.inf, math.inf]


def test_a_record_is_written_in_the_order_of_its_fields():
    record = Record(point=Point((1.0, 2.0), "a"), kind=Kind.B, table={"z": 1.0, "a": 2.0})
    written = records.text(record)
    assert list(json.loads(written)) == list(vars(record))
    assert json.loads(written)["point"] == {"at": [1.0, 2.0], "name": "a"}
    assert list(json.loads(written)["table"]) == ["z", "a"]
    assert records.checked(records.parse(written.encode()), Record) == record


def test_only_a_marked_key_is_left_out():
    assert records.to_json(Record()).keys() == vars(Record()).keys() - {"point"}


# --- signatures ---


def test_a_signed_record_is_read_as_it_was(tmp_path):
    record, path = Record(count=7, table={"a": 1.5}), tmp_path / "r.json"
    path.write_text(records.text(record))
    assert records.read_signed(path, Record) == (record, False)
    path.write_text(records.sign(records.text(record)))
    assert records.read_signed(path, Record) == (record, True)
    assert json.loads(path.read_text())["signature"].startswith("sha256:")


def test_every_flipped_bit_of_a_signed_record_is_noticed(tmp_path):
    path = tmp_path / "r.json"
    whole = records.sign(records.text(Record(text="b", point=Point((1.0,), "a")))).encode()
    for place in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << place % 8
        path.write_bytes(flipped)
        with pytest.raises(ValueError, match=r"."):
            records.read_signed(path, Record)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"."):
            records.read_signed(path, Record)
