"""Trees of arrays: rows, checks in words, fingerprints that know every bit."""

import hashlib
import tracemalloc

import numpy as np
import pytest

from lrlab.tasks import parts
from lrlab.tasks.part_flaws import flaw
from lrlab.tasks.parts import Given, Part, fingerprint

X = np.arange(12, dtype=np.float32).reshape(4, 3)
Y = np.arange(4)
PAIR = {"left": X, "right": 2 * X}


def changed(array, place, value):
    array = array.copy()
    array[place] = value
    return array


def found(train, validation=None, test=None, **others):
    return flaw(Given(train, validation, test, **others))


def test_a_part_counts_its_rows_and_gives_some():
    part = Part(PAIR, (Y, -Y), np.ones(4))
    assert len(part) == 4
    some = part.rows(np.array([2, 0]))
    assert some.x["right"].tolist() == [[12, 14, 16], [0, 2, 4]]
    assert [y.tolist() for y in some.y] == [[2, 0], [-2, 0]]
    assert len(some.weight) == 2
    assert Part(X, Y).rows(slice(3)).weight is None


def test_a_tree_keeps_its_structure():
    assert parts.row_shapes(PAIR) == {"left": (3,), "right": (3,)}
    assert parts.row_shapes((X, Y)) == ((3,), ())
    assert parts.row_shapes(X) == (3,)
    doubled = parts.mapped((X, Y), lambda array: 2 * array)
    assert doubled[1].tolist() == [0, 2, 4, 6]
    assert [label for label, _ in parts.leaves({"b": X, "a": X}, "x")] == ['x["a"]', 'x["b"]']


def test_parts_and_arrays_have_names():
    given = Given(Part(X, Y), test=Part(X, Y, np.ones(4)))
    assert list(given.parts()) == ["train", "test"]
    names = [name for name, _ in given.arrays()]
    assert names == ["x_train", "y_train", "x_test", "y_test", "weight_test"]


SOUND = {
    "plain": (Part(X, Y),),
    "dict": (Part(PAIR, Y), None, Part(PAIR, Y)),
    "tuple and weights": (Part((X, Y), (Y, Y), np.ones(4)), Part((X, Y), (Y, Y)), None),
    "bytes": (Part(np.zeros((4, 2, 2), np.uint8), Y > 1),),
}


@pytest.mark.parametrize("given", SOUND.values(), ids=SOUND)
def test_sound(given):
    assert found(*given) is None


FLAWED = {
    "lengths": (Part(X, Y[:3]), "`x_train` has 4 rows, `y_train` has 3"),
    "of inputs": (
        Part({"a": X, "b": X[:2]}, Y), '`x_train["a"]` has 4 rows, `x_train["b"]` has 2'
    ),
    "weights": (Part(X, Y, np.ones(5)), "`x_train` has 4 rows, `weight_train` has 5"),
    "shape of weights": (Part(X, Y, np.ones((4, 1))), "`weight_train` has shape (4, 1)"),
    "nan": (
        Part(changed(X, (2, 1), np.nan), Y),
        "`x_train` holds 1 value that is NaN or infinite; the first, nan, is at [2, 1]",
    ),
    "infinite targets": (
        Part(X, changed(np.ones(4), slice(1, 3), -np.inf)),
        "`y_train` holds 2 values that are NaN or infinite; the first, -inf, is in row 1",
    ),
    "objects": (
        Part(np.array([[1], [1, 2], [3], [4]], dtype=object), Y),
        "`x_train` holds Python objects (an array of dtype object)",
    ),
    "text": (Part(X, np.array(["a", "b", "a", "c"])), "`y_train` holds text, not numbers"),
    "complex": (Part(X.astype(complex), Y), "`x_train` holds complex128, not numbers"),
    "dates": (Part(Y.astype("M8[D]"), Y), "`x_train` holds datetime64[D], not numbers"),
    "empty": (Part(X[:0], Y[:0]), "`x_train` is empty: its shape is (0, 3)"),
    "no columns": (Part(X[:, :0], Y), "`x_train` is empty: its shape is (4, 0)"),
    "a number": (Part(np.array(3.0), Y), "`x_train` is a single number"),
    "no array": (Part({}, Y), "`x_train` holds no array"),
    "no target": (Part(X, ()), "`y_train` holds no array"),
}  # fmt: skip


@pytest.mark.parametrize(("part", "words"), FLAWED.values(), ids=FLAWED)
def test_flaw(part, words):
    flawed = found(part)
    assert flawed.found == words
    assert flawed.remedy
    beside = found(Part(X, Y), test=part)
    assert beside.found.replace("_test", "_train") == words or "shape" in beside.found


BESIDE = {
    "shape": (Part(X, Y), Part(X[:, :2], Y),
              "rows of `x_test` have shape (2,), those of `x_train` (3,)"),
    "targets": (Part(X, Y), Part(X, X), "rows of `y_test` have shape (3,), those of `y_train` ()"),
    "names": (Part(PAIR, Y), Part({"left": X, "wrong": X}, Y),
              "`x_train` holds the arrays `left`, `right`, `x_test` the arrays `left`, `wrong`"),
    "structure": (Part(PAIR, Y), Part(X, Y),
                  "`x_train` holds the arrays `left`, `right`, `x_test` one array"),
    "of one": (Part(PAIR, Y), Part({"left": X, "right": X[:, 1:]}, Y),
               'rows of `x_test["right"]` have shape (2,), those of `x_train["right"]` (3,)'),
    "number": (Part((X, X), Y), Part((X,), Y),
               "`x_train` holds a tuple of 2, `x_test` a tuple of 1"),
}  # fmt: skip


@pytest.mark.parametrize(("train", "test", "words"), BESIDE.values(), ids=BESIDE)
def test_parts_have_to_look_alike(train, test, words):
    assert found(train, test=test).found == words


def test_what_is_standardised_must_not_be_huge():
    huge = changed(X, (0, 0), 1e19)
    assert found(Part(huge, Y)) is None
    assert found(Part(X, huge[:, 0]), standardise=True) is None
    words = "`x_train` holds 1 value that is too large to be standardised; the first, 1e+19, is at"
    assert found(Part(huge, Y), standardise=True).found == f"{words} [0, 0]"


def test_the_first_bad_value_is_found_in_a_later_block():
    x = np.zeros((300, 100_000), np.float32)
    x[[257, 299], 5] = np.nan
    assert found(Part(x, np.zeros(300))).found == (
        "`x_train` holds 2 values that are NaN or infinite; the first, nan, is at [257, 5]"
    )


# --- fingerprints ---

GIVEN = Given(Part(X, Y))
OTHERS = {
    "a value": Given(Part(changed(X, (0, 0), 1e-30), Y)),
    "a target": Given(Part(X, changed(Y, 0, 9))),
    "a type": Given(Part(X, Y.astype(np.int32))),
    "a shape": Given(Part(X.reshape(4, 3, 1), Y)),
    "a name": Given(Part({"x": X}, Y)),
    "a place": Given(Part((X,), Y)),
    "weights": Given(Part(X, Y, np.ones(4))),
    "a test part": Given(Part(X, Y), test=Part(X, Y)),
    "a validation part": Given(Part(X, Y), Part(X, Y)),
    "rows moved to another array": Given(Part(X[:3], Y)),
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_fingerprint_tells_apart(other):
    prints = {fingerprint(each) for each in (GIVEN, *OTHERS.values())}
    assert len(prints) == 1 + len(OTHERS)
    assert fingerprint(other) != fingerprint(GIVEN)


def test_fingerprint_is_of_the_values_not_of_how_they_lie_in_memory(tmp_path):
    x, y = b"x_train\0<f4\0(4, 3)\0" + X.tobytes(), b"y_train\0<i8\0(4,)\0" + Y.tobytes()
    expected = hashlib.sha256(x + y).hexdigest()
    fortran = Given(Part(np.asfortranarray(X), Y))
    strided = Given(Part(np.repeat(X, 2, axis=1)[:, ::2], Y))
    np.save(tmp_path / "x.npy", X)
    mapped = Given(Part(np.load(tmp_path / "x.npy", mmap_mode="r"), Y))
    ours = {fingerprint(each) for each in (GIVEN, fortran, strided, mapped)}
    assert ours == {expected}


def test_the_order_of_names_does_not_matter():
    turned = dict(reversed(PAIR.items()))
    assert fingerprint(Given(Part(turned, Y))) == fingerprint(Given(Part(PAIR, Y)))


def test_a_memory_map_is_read_in_blocks(tmp_path):
    shape = (4_000, 20_000)  # 80 MB
    np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float32, (1_000, 20_000)).flush()
    big = np.lib.format.open_memmap(tmp_path / "big.npy", "w+", np.uint8, shape)
    big[-1] = 7
    given = Given(Part(np.load(tmp_path / "big.npy", mmap_mode="r"), np.zeros(shape[0])))
    floats = np.load(tmp_path / "x.npy", mmap_mode="r")
    tracemalloc.start()
    whole = fingerprint(given)
    assert flaw(given) is None
    assert found(Part(floats, np.zeros(1_000))) is None
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 45e6
    assert whole == fingerprint(Given(Part(np.array(big), np.zeros(shape[0]))))
