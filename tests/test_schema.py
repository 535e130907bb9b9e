"""Shapes of JSON: what fits comes back, what does not is named with its place."""

import math

import pytest

from lrlab.io import json_shapes

POINT = json_shapes.mapping(
    {
        "name": json_shapes.text("[a-z]+"),
        "at": json_shapes.items(json_shapes.number(0, 9), least=1, most=2),
    },
    {"note": json_shapes.maybe(json_shapes.text())},
)

GOOD = {
    "whole numbers are numbers": (json_shapes.number(), 3, 3.0),
    "at the bound": (json_shapes.number(0, 9), 9, 9.0),
    "infinity without a bound": (json_shapes.number(), math.inf, math.inf),
    "infinity above a bound": (json_shapes.number(least=0), math.inf, math.inf),
    "whole": (json_shapes.whole(0, 3), 3, 3),
    "text is made printable": (json_shapes.text(), "a\x1bb", "a\\x1bb"),
    "null": (json_shapes.maybe(json_shapes.number()), None, None),
    "one of": (json_shapes.one_of("a", "b"), "b", "b"),
    "table": (json_shapes.table(json_shapes.number(), most=1), {"\x1b": 1}, {"\\x1b": 1.0}),
    "scalar": (json_shapes.scalar(), True, True),
    "mapping": (POINT, {"name": "a", "at": [1]}, {"name": "a", "at": [1.0]}),
    "optional": (
        POINT,
        {"name": "a", "note": None, "at": [1]},
        {"name": "a", "note": None, "at": [1.0]},
    ),
    "other keys stay": (
        POINT,
        {"x": [], "name": "a", "at": [1]},
        {"x": [], "name": "a", "at": [1.0]},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "value", "found"), GOOD.values(), ids=GOOD.keys())
def test_what_fits(shape, value, found):
    checked = shape(value, "it")
    assert checked == found
    assert type(checked) is type(found)
    if isinstance(found, dict):
        assert list(checked) == list(found)


BAD = {
    "true is no number": (json_shapes.number(), True, "it must be a number, got `true`"),
    "true is no whole number": (json_shapes.whole(0, 1), True, "a whole number from 0 to 1, "),
    "text is no number": (json_shapes.number(), "1", "it must be a number, got `1`"),
    "list is no number": (json_shapes.number(), [1], "it must be a number, got a list"),
    "NaN has no bound": (json_shapes.number(least=0), math.nan, "of at least 0, got `NaN`"),
    "too large": (json_shapes.number(most=1), 2, "it must be a number up to 1, got `2`"),
    "too large for a float": (json_shapes.number(), 10**400, "it must be a number of usual size"),
    "too large to be written": (json_shapes.whole(0, 1), 10**5000, "got a huge number"),
    "decimal is not whole": (json_shapes.whole(0, 9), 1.0, "a whole number from 0 to 9, got `1.0`"),
    "pattern": (json_shapes.text("[a-z]"), "a\n", "it must be a text of the usual form, got `a\\n`"),
    "long": (json_shapes.text(), "a" * 2001, "it must be a short text, got 2,001 characters"),
    "cut": (json_shapes.number(), "a" * 99, f"got `{'a' * 40}...`"),
    "none of": (json_shapes.one_of("a", "b"), ["a"], "it must be one of a, b, got a list"),
    "null": (json_shapes.text(), None, "it must be a text, got `null`"),
    "nested": (json_shapes.scalar(), {}, "it must be a single value, got a mapping"),
    "keys": (json_shapes.table(json_shapes.number(), most=1), {"a": 1, "b": 2}, "at most 1 keys"),
    "no mapping": (POINT, 3, "it must be a mapping, got `3`"),
    "missing": (POINT, {"name": "a"}, "`it.at` is missing"),
    "inner": (POINT, {"name": "a", "at": [1, "x"]}, "it.at.1 must be a number, got `x`"),
    "few": (POINT, {"name": "a", "at": []}, "it.at must hold 1 to 2 values, got 0"),
    "odd key": (json_shapes.table(json_shapes.number(), most=1), {"\x1b": "x"}, "it.\\x1b must be a number"),
}  # fmt: skip


@pytest.mark.parametrize(("shape", "value", "words"), BAD.values(), ids=BAD.keys())
def test_what_does_not_fit(shape, value, words):
    with pytest.raises(ValueError, match=r"it") as caught:
        shape(value, "it")
    assert words in str(caught.value)


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
        json_shapes.parse(content)
    assert words in str(caught.value)


def test_json_as_python_writes_it():
    assert json_shapes.parse(b'{"a": [NaN, -Infinity, 1e400]}')["a"][1:] == [-math.inf, math.inf]
