"""Readers of data sets: what comes out, and what is refused in words."""

import codecs
import os
import string

import numpy as np
import pytest

from lrlab.errors import CodeError, LrlabError
from lrlab.io import npz
from lrlab.tasks.parts import Part, fingerprint
from lrlab.tasks.readers import csv_table, named_arrays, returned
from lrlab.tasks.streamed import Streams

X = np.arange(24, dtype=np.float32).reshape(6, 4)
Y = np.array([0, 1, 2, 0, 1, 2])
PAIR = (X, Y)


def told(function, *arguments, **named):
    """Return what an error prints, its hint last."""
    with pytest.raises(LrlabError) as caught:
        function(*arguments, **named)
    assert caught.value.exit_code == (2 if isinstance(caught.value, CodeError) else 3)
    return [*caught.value.lines, *([f"hint: {caught.value.hint}"] if caught.value.hint else [])]


# --- CSV ---


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text, name="a.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


TABLE = "age,city,price\n30,Bonn,1.5\n41,Ulm,2\n22,Bonn,-3e1\n"


def test_csv(write):
    given = csv_table.read(write(TABLE))
    assert given.features == ("age", "city=Bonn", "city=Ulm")
    assert given.train.x.tolist() == [[30, 1, 0], [41, 0, 1], [22, 1, 0]]
    assert given.train.y.tolist() == [1.5, 2.0, -30.0]
    assert (given.train.x.dtype, given.train.y.dtype) == (np.float32, np.float32)
    assert given.standardise
    assert given.notes == ("its last column, `price`, is taken as the target",)
    assert (given.test, given.validation, given.classes) == (None, None, ())


def test_csv_target_named_and_columns_dropped(write):
    given = csv_table.read(write(TABLE), target="city", drop=["price"])
    assert given.features == ("age",)
    assert (given.train.y.tolist(), given.train.y.dtype) == ([0, 1, 0], np.int64)
    assert given.classes == ("Bonn", "Ulm")
    assert given.notes == ()


def test_csv_several_targets(write):
    given = csv_table.read(write(TABLE), target=["price", "age"])
    assert given.train.y.tolist() == [[1.5, 30], [2, 41], [-30, 22]]


SAME = {
    "semicolons": TABLE.replace(",", ";"),
    "tabs": TABLE.replace(",", "\t"),
    "byte order mark": codecs.BOM_UTF8 + TABLE.encode(),
    "windows": TABLE.replace("\n", "\r\n"),
    "no last line end": TABLE.rstrip(),
    "blank lines": TABLE.replace("\n", "\n\n"),
    "quotes": TABLE.replace("Bonn", '"Bonn"').replace("city", '"city"'),
    "spaces around numbers": TABLE.replace("30,", " 30 ,"),
}


@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_csv_written_otherwise_is_the_same(text, write):
    one, other = csv_table.read(write(TABLE)), csv_table.read(write(text, "b.csv"))
    assert fingerprint(one) == fingerprint(other)
    assert one.features == other.features


def test_csv_quoted_fields_hold_anything(write):
    text = 'n,"a ""b""",y\n1,"x, y",0\n2,"two\nlines",1\n'
    given = csv_table.read(write(text))
    assert given.features == ("n", 'a "b"=two\nlines', 'a "b"=x, y')
    assert given.train.y.dtype == np.int64


def test_csv_with_a_file_to_test_on(write):
    train = write("city,n,kind\nBonn,1,a\nUlm,2,b\n")
    test = write("kind;n;city\nb;5;Kiel\n", "test.csv")
    given = csv_table.read(train, target="kind", test=test)
    assert given.test.x.tolist() == [[0, 0, 5]]
    assert given.test.y.tolist() == [1]
    assert given.notes == (
        "`city` of `test.csv` holds `Kiel`, which is not in the training data; such texts are all "
        "zeros",
    )


BAD = {
    "empty": ("", ["`a.csv`: it is empty", "hint: the first row names the columns"]),
    "header only": ("a,b\n", ["`a.csv`: it has a header and no rows"]),
    "no header": ("1,2,x\n3,4,y\n", [
        "`a.csv`: the first row holds the number 1", "hint: the first row names the columns",
    ]),
    "one column": ("a\n1\n", [
        "`a.csv`: it has a single column, `a`",
        "hint: inputs and target are needed, separated by commas, semicolons or tabs",
    ]),
    "index": (",a,b\n0,1,2\n", [
        "`a.csv`: column 1 has no name",
        "hint: pandas writes its index without one: write `frame.to_csv(..., index=False)`",
    ]),
    "twice": ("a,b,a\n1,2,3\n", [
        "`a.csv`: two columns are called `a`", "hint: rename one of them",
    ]),
    "empty field": ("a,b\n1,2\n,3\n", [
        "`a.csv`: line 3: `a` is empty",
        "hint: fill in what is missing, leave out its rows, or `drop` the column",
    ]),
    "empty target": ("a,b\n1,2\n1,\n", [
        "`a.csv`: line 3: `b` is empty",
        "hint: fill in what is missing, leave out its rows, or `drop` the column",
    ]),
    "NA among numbers": ("a,b\n1,2\nNA,3\nnan,3\n", [
        "`a.csv`: line 3: `a` is `NA` among numbers",
        "hint: fill in what is missing, leave out its rows, or `drop` the column",
    ]),
    "infinite": ("a,b\n1,2\n-inf,3\n", [
        "`a.csv`: line 3: `a` is `-inf` among numbers",
        "hint: fill in what is missing, leave out its rows, or `drop` the column",
    ]),
    "beyond float32": ("a,b\n1,2\n1e39,3\n", [
        "`a.csv`: `x_train` holds 1 value that is NaN or infinite; the first, inf, is at [1, 0]",
        "hint: fill in or leave out what is missing, and scale what is too large",
    ]),
    "fields": ("a,b\n1,2\n1,2,3\n", [
        "`a.csv`: line 3 has 3 fields, the header has 2",
        "hint: a field that holds a `,` needs quotes around it",
    ]),
    "fewer fields": ("a;b;c\n1;2\n", [
        "`a.csv`: line 2 has 2 fields, the header has 3",
        "hint: a field that holds a `;` needs quotes around it",
    ]),
    "quote left open": ('a,b\n1,"2\n', ["`a.csv`: line 2: unexpected end of data"]),
    "latin-1": ("a,b\n1,é\n".encode("latin-1"), [
        "`a.csv`: it is not UTF-8: invalid continuation byte", "hint: save it as UTF-8",
    ]),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), ["`a.csv`: it is UTF-16", "hint: save it as UTF-8"]),
    "many texts": ("a,b\n" + "".join(f"n{i},1\n" for i in range(200)), [
        "`a.csv`: `a` holds more than 100 texts, as `n0` in line 2",
        "hint: `drop` names, dates and free text, or turn them into numbers",
    ]),
    "decimal commas": ("a;b\n" + "".join(f"{i},5;1\n" for i in range(200)), [
        "`a.csv`: `a` holds more than 100 texts, as `0,5` in line 2",
        "hint: write numbers with a point in place of a comma",
    ]),
    "huge field": ("a,b\n" + "x" * 200_000 + ",1\n", [
        "`a.csv`: line 2: field larger than field limit (131072)",
    ]),
    "columns": (",".join(f"c{i}" for i in range(10_001)) + "\n", [
        "`a.csv`: it has 10,001 columns, more than 10,000",
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD.values(), ids=BAD)
def test_csv_that_is_refused(text, expected, write):
    path = write(text)
    assert [line.replace(str(path), "a.csv") for line in told(csv_table.read, path)] == expected


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("number", ["1e39", "1e400", "-1e400"])
def test_csv_no_warning_of_numpy_escapes(number, write):
    assert "is at [0, 0]" in told(csv_table.read, write(f"a,b\n{number},2\n"))[0]


ARGUMENTS = {
    "no target": ({"target": "prize"}, [
        "there is no column `prize`; did you mean `price`?", "hint: it has `age`, `city`, `price`"
    ]),
    "no column to drop": ({"drop": ["ag"]}, [
        "there is no column `ag`; did you mean `age`?", "hint: it has `age`, `city`, `price`"
    ]),
    "target dropped": ({"drop": ["price"]}, ["`price` is the target, and `drop` leaves it out"]),
    "all dropped": ({"drop": ["age", "city"]}, ["no column is left to learn from"]),
    "twice": ({"target": ["age", "age"]}, ["`target` names no column, or one twice"]),
    "none": ({"target": []}, ["`target` names no column, or one twice"]),
    "several targets with texts": ({"target": ["age", "city"]}, [
        "the target `city` holds texts", "hint: several targets are numbers"
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("given", "expected"), ARGUMENTS.values(), ids=ARGUMENTS)
def test_csv_arguments(given, expected, write):
    path = write(TABLE)
    said = [line.replace(f"`{path}`: ", "") for line in told(csv_table.read, path, **given)]
    assert said == expected


TESTS = {
    "columns": ("age,city\n1,Ulm\n", "its columns are not those of `a.csv`: `price` is in one of "
                "the files only"),
    "class": ("age,city,price\n1,Kiel,1\n", "line 2: `city` is `Kiel`, which is no class of the "
              "training data"),
    "text": ("age,city,price\nold,Ulm,1\n", "line 2: `age` is `old`, and a number in the training "
             "data"),
    "empty": ("age,city,price\n,Ulm,1\n", "line 2: `age` is empty"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TESTS.values(), ids=TESTS)
def test_csv_test_files_that_do_not_fit(text, expected, write):
    test = write(text, "t.csv")
    said = told(csv_table.read, write(TABLE), target="city", test=test)
    assert said[0] == f"`{test}`: {expected}"


def test_csv_files_that_are_none(write, tmp_path):
    assert told(csv_table.read, tmp_path / "no.csv")[0] == (
        f"`{tmp_path}/no.csv` cannot be read: No such file or directory"
    )
    os.mkfifo(tmp_path / "pipe.csv")
    assert "is not a regular file" in told(csv_table.read, tmp_path / "pipe.csv")[0]


def test_csv_does_not_blow_up(write):
    columns, letters = 5_001, string.ascii_letters + "!#$%&()*+:<=>@[]^_{|}~"
    header = ",".join(f"c{i}" for i in range(columns)) + "\n"
    rows = "".join(",".join([letter] * columns) + "\n" for letter in letters)
    said = told(csv_table.read, write(header + rows))
    assert said[0].endswith("its 370,000 columns of zeros and ones would take 109,520,000 bytes")
    assert said[1] == "hint: `drop` columns of many texts, or give them as numbers"


# --- npz and npy ---


@pytest.fixture
def npz_file(tmp_path):
    def save(**arrays):
        path = tmp_path / "a.npz"
        np.savez_compressed(path, **arrays)
        return path

    return save


@pytest.fixture
def npy_folder(tmp_path):
    def save(**arrays):
        folder = tmp_path / "arrays"
        folder.mkdir(exist_ok=True)
        for name, array in arrays.items():
            np.save(folder / f"{name}.npy", array)
        return folder

    return save


@pytest.fixture(params=["npz", "npy"])
def read(request, npz_file, npy_folder):
    """Return a function that writes named arrays and reads them back, one way and the other."""
    if request.param == "npz":
        return lambda **arrays: named_arrays.read_npz(npz_file(**arrays))
    return lambda **arrays: named_arrays.read_npy_folder(npy_folder(**arrays))


def test_named_arrays(read):
    given = read(x_train=X, y_train=Y, x_test=X[:2], y_test=Y[:2], x_val=X[:3], y_val=Y[:3],
                 weight_train=np.ones(6), other=np.zeros(5))  # fmt: skip
    assert given.standardise
    assert [len(part) for part in given.parts().values()] == [6, 3, 2]
    assert given.train.x.tolist() == X.tolist()
    assert given.train.weight.tolist() == [1.0] * 6
    assert given.test.weight is None


def test_several_named_inputs_and_targets(read):
    given = read(x_train_left=X, x_train_right_eye=2 * X, y_train_kind=Y, y_train_price=Y / 2,
                 x_validation_left=X[:2], x_validation_right_eye=X[:2], y_validation_kind=Y[:2],
                 y_validation_price=Y[:2] / 2)  # fmt: skip
    assert list(given.train.x) == ["left", "right_eye"]
    assert given.train.x["right_eye"].tolist() == (2 * X).tolist()
    assert list(given.validation.y) == ["kind", "price"]


def test_npy_files_stay_on_the_disk(npy_folder):
    given = named_arrays.read_npy_folder(
        npy_folder(x_train=np.asfortranarray(X), y_train=Y.astype(">i8"))
    )
    assert type(given.train.x) is np.memmap
    assert given.train.x.tolist() == X.tolist()
    assert given.train.y.tolist() == Y.tolist()
    with pytest.raises(ValueError, match="read-only"):
        given.train.x[0, 0] = 1


WRONG = {
    "no x": ({"y_train": Y}, "has no `x_train`"),
    "no y": ({"x_train": X}, "has no `y_train`"),
    "near": ({"X_train": X, "y_train": Y}, "has no `x_train`; did you mean `X_train`?"),
    "half a test": ({"x_train": X, "y_train": Y, "y_test": Y}, "has `y_test` and no `x_test`"),
    "half": ({"x_train": X, "y_train": Y, "x_val": X}, "has `x_validation` and no `y_validation`"),
    "both": ({"x_train": X, "x_train_a": X, "y_train": Y}, "has both `x_train` and `x_train_a`"),
    "two names": ({"x_train": X, "y_train": Y, "x_val": X, "y_val": Y, "x_validation": X},
                  "has `x_val` and `x_validation`"),
    "weights": ({"x_train": X, "y_train": Y, "weight_train_a": Y, "weight_train_b": Y},
                "has several `weight_train`"),
    "lengths": ({"x_train": X, "y_train": Y[:5]}, ": `x_train` has 6 rows, `y_train` has 5"),
    "nan": ({"x_train": np.full_like(X, np.nan), "y_train": Y}, ": `x_train` holds 24 values that "
            "are NaN or infinite; the first, nan, is at [0, 0]"),
    "text": ({"x_train": X.astype(str), "y_train": Y}, ": `x_train` holds <U32, not numbers"),
    "text labels": ({"x_train": X, "y_train": np.array(["a"] * 6)},
                    ": `y_train` holds text, not class numbers"),
    "objects": ({"x_train": X, "y_train": np.array([None] * 6)},
                ": `y_train` holds Python objects (an array of dtype object)"),
    "empty": ({"x_train": X[:0], "y_train": Y[:0]}, ": `x_train` is empty: its shape is (0, 4)"),
}  # fmt: skip


@pytest.mark.parametrize(("arrays", "expected"), WRONG.values(), ids=WRONG)
def test_named_arrays_that_are_refused(arrays, expected, read, tmp_path):
    said = told(read, **arrays)[0].removeprefix(f"`{tmp_path}/")
    assert said.split("` ", 1)[-1] == expected or said.split("`: ", 1)[-1] == expected[2:]


def test_damaged_files(npz_file, npy_folder, tmp_path):
    path = npz_file(x_train=X, y_train=Y)
    path.write_bytes(path.read_bytes()[:-30])
    assert "is not a readable npz file" in told(named_arrays.read_npz, path)[0]
    folder = npy_folder(x_train=X, y_train=Y)
    whole = (folder / "x_train.npy").read_bytes()
    for damaged, words in [
        (whole[:-1], "claims the shape (6, 4), which does not fit its 223 bytes"),
        (whole + b"1", "claims the shape (6, 4), which does not fit its 225 bytes"),
        (b"", "`x_train` is not an array"),
        (whole[:40], "does not have the header of a plain array"),
        (whole.replace(b"'<f4'", b"'|O' "), "does not have the header of a plain array"),
        (whole.replace(b"(6, 4)", b"(9**9)"), "does not have the header of a plain array"),
    ]:
        (folder / "x_train.npy").write_bytes(damaged)
        assert words in told(named_arrays.read_npy_folder, folder)[0]
    (folder / "x_train.npy").unlink()
    os.mkfifo(folder / "x_train.npy")
    assert "is not a regular file" in told(named_arrays.read_npy_folder, folder)[0]
    assert "cannot be read" in told(named_arrays.read_npy_folder, tmp_path / "no")[0]


def test_an_archive_that_inflates_is_refused(npz_file):
    path = npz_file(x_train=np.zeros((30_000, 1_000), np.uint8), y_train=np.arange(30_000) % 2)
    assert "`x_train` would take 30,000,000 bytes of memory" in told(named_arrays.read_npz, path)[0]


def test_names_of_an_archive(npz_file):
    path = npz_file(b=X, a=Y)
    with path.open("rb") as file:
        assert npz.names(file) == ["b", "a"]


# --- what a function returns ---


def given(value):
    return returned.given(value, "`sets.py:load`")


def lengths(found):
    return {name: len(part) for name, part in found.parts().items()}


SHORT, MIDDLE = (X[:2], Y[:2]), (X[:3], Y[:3])
FORMS = {
    "two pairs": ((PAIR, SHORT), {"train": 6, "test": 2}),
    "lists": ([list(PAIR), list(SHORT)], {"train": 6, "test": 2}),
    "three pairs": ((PAIR, MIDDLE, SHORT), {"train": 6, "validation": 3, "test": 2}),
    "one pair": (PAIR, {"train": 6}),
    "one triple": ((X, Y, np.ones(6)), {"train": 6}),
    "dict": ({"test": SHORT, "train": PAIR}, {"train": 6, "test": 2}),
    "val": ({"train": PAIR, "val": SHORT, "test": None}, {"train": 6, "validation": 2}),
    "weights": (((X, Y, np.ones(6)), (X, Y, None)), {"train": 6, "test": 6}),
    "two inputs": ((((X, X), Y), ((X[:2], X[:2]), Y[:2])), {"train": 6, "test": 2}),
    "two inputs alone": (((X, X), Y), {"train": 6}),
    "two targets alone": ((X, (Y, Y)), {"train": 6}),
    "named": ((({"a": X, "b": X}, {"c": Y}),) * 2, {"train": 6, "test": 6}),
    "lists of numbers": (([[1, 2], [3, 4]], [0, 1]), {"train": 2}),
    "lists of lists": ((([[1, 2], [3, 4]], [0, 1]), ([[1, 2]], [1])), {"train": 2, "test": 1}),
    "a pair in a tuple": ((PAIR,), {"train": 6}),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), FORMS.values(), ids=FORMS)
def test_forms(value, expected):
    found = given(value)
    assert lengths(found) == expected
    assert not found.standardise


def test_arrays_are_kept_as_they_are(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    found = given(((mapped, Y, np.ones(6)), ((X, Y))))
    assert found.train.x is mapped
    assert found.train.y is Y
    assert isinstance(given((({"a": X}, Y), ({"a": X}, Y))).train.x, dict)
    assert isinstance(given((((X, X), Y), ((X, X), Y))).train.x, tuple)


EXPECTED = (
    "`sets.py:load` must give `(x, y), (x_test, y_test)`, three pairs with validation in the "
    "middle, `(x, y)` alone, or a dict with `train`, `validation`, `test`; got"
)
REFUSED = {
    "none": (None, [f"{EXPECTED} None", "hint: does it end with `return`?"]),
    "array": (X, [f"{EXPECTED} ndarray of shape (6, 4)"]),
    "four": ((X, Y, X, Y), [
        f"{EXPECTED} a tuple of ndarray of shape (6, 4), ndarray of shape (6,), ndarray of shape "
        "(6, 4) and ndarray of shape (6,)"
    ]),
    "dict of other names": ({"x": X, "y": Y}, [f"{EXPECTED} a dict with `x`, `y`"]),
    "dict without train": ({"test": PAIR}, [f"{EXPECTED} a dict with `test`"]),
    "text": ("data", [f"{EXPECTED} str of 4"]),
    "generator": ((batch for batch in ()), [
        f"{EXPECTED} generator",
        "hint: a generator is read once only: return a `keras.utils.PyDataset` or arrays",
    ]),
    "dict of arrays": ({"train": X}, [
        "`sets.py:load` must give for `train` a pair (x, y) or a triple (x, y, weight); got "
        "ndarray of shape (6, 4)"
    ]),
    "y missing": (((X, None), PAIR), [
        "`sets.py:load` gives `y_train` as None; an array was expected",
    ]),
    "ragged": (([[1], [1, 2]], [0, 1]), [
        "`sets.py:load`: `x_train` is no array: setting an array element with a sequence. The "
        "requested array has an inhomogeneous shape after 1 dimensions. The detected shape was "
        "(2,) + inhomogeneous part.",
        "hint: its rows probably differ in length: pad or cut them to one length",
    ]),
    "name": ((({1: X}, Y), ({1: X}, Y)), [
        "`sets.py:load` names an array of `x_train` 1", "hint: names of arrays are texts",
    ]),
    "lengths": (((X, Y[:5]), PAIR), [
        "`sets.py:load`: `x_train` has 6 rows, `y_train` has 5",
        "hint: each row of one belongs to the same row of the other",
    ]),
    "objects": ((np.array([[1], [1, 2]], dtype=object), Y[:2]), [
        "`sets.py:load`: `x_train` holds Python objects (an array of dtype object)",
        "hint: its rows probably differ in length: pad or cut them to one length",
    ]),
    "text labels": ((X, np.array(["a"] * 6, dtype=object)), [
        "`sets.py:load`: `y_train` holds text, not numbers",
        "hint: turn it into numbers, as `names, values = np.unique(values, return_inverse=True)`",
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), REFUSED.values(), ids=REFUSED)
def test_returns_that_are_refused(value, expected):
    assert told(given, value) == expected


# --- frames ---


@pytest.fixture(params=["pandas", "polars"])
def frames(request):
    return pytest.importorskip(request.param)


def test_frames(frames):
    x = frames.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5], "c": [True, False, True]})
    y = frames.Series([0, 1, 0])
    found = given(((x, y), (x, y)))
    assert found.train.x.tolist() == [[1, 0.5, 1], [2, 1.5, 0], [3, 2.5, 1]]
    assert found.train.y.tolist() == [0, 1, 0]
    assert found.features == ("a", "b", "c")
    assert given(({"left": x, "right": x}, y)).train.x["left"].shape == (3, 3)
    assert given((x[["a"]], y)).train.x.shape == (3, 1)


def test_frames_without_numbers_are_refused(frames):
    x = frames.DataFrame({"a": [1, 2], "city": ["Ulm", "Bonn"], "day": ["mon", "tue"]})
    assert told(given, (x, frames.Series([0, 1])))[0] == (
        "`sets.py:load`: columns `city`, `day` of `x_train` hold no numbers, or miss some"
    )
    categories = "category" if frames.__name__ == "pandas" else frames.Categorical
    kind = frames.Series(["a", "b"], dtype=categories)
    assert told(given, (x[["a"]], kind))[0] == "`sets.py:load`: `y_train` holds text, not numbers"


def test_missing_values_of_a_frame_are_refused(frames):
    x = frames.DataFrame({"a": [1, 2, None], "b": [1, 2, 3]})
    assert told(given, (x, frames.Series([0, 1, 0])))[0] == (
        "`sets.py:load`: `x_train` holds 1 value that is NaN or infinite; the first, nan, is at "
        "[2, 0]"
    )


def test_nullable_whole_numbers_of_pandas():
    pandas = pytest.importorskip("pandas")
    whole = pandas.DataFrame({"a": pandas.array([1, 2], dtype="Int64")})
    assert given((whole, pandas.Series([0, 1]))).train.x.tolist() == [[1], [2]]
    holes = pandas.DataFrame({"a": pandas.array([1, None], dtype="Int64")})
    assert told(given, (holes, pandas.Series([0, 1])))[0].endswith("nan, is at [1, 0]")


# --- streams ---


def batches():
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(4)


def test_a_tensorflow_data_set_is_handed_through():
    found = given((batches(), batches()))
    assert isinstance(found, Streams)
    assert (found.train.kind, found.train.steps) == ("tf.data.Dataset", 2)
    assert found.train.spec() == (((4,), "float32"), ((), "int64"))
    assert found.train.spec()[0].shape == (4,)
    for _ in range(2):
        assert [batch[0].shape[0] for batch in found.train.batches()] == [4, 2]
    assert found.validation is None


def test_streams_of_every_form():
    alone = given(batches())
    assert (alone.test, alone.train.steps) == (None, 2)
    three = given((batches(), PAIR, batches()))
    assert isinstance(three.validation, Part)
    named = given({"train": batches(), "validation": SHORT})
    assert len(named.validation) == 2
    assert told(given, (PAIR, batches())) == [
        "`sets.py:load` gives arrays to train on, and a stream beside them",
        "hint: give arrays for all parts, or a stream to train on",
    ]


def test_streams_know_what_an_epoch_is_or_say_so():
    def steps(made):
        return given(made).train.steps

    assert steps(batches().filter(lambda x, y: True)) is None
    assert told(steps, batches().repeat()) == [
        "the train data of `sets.py:load` never ends, so nobody knows what an epoch of it is",
        "hint: leave out `.repeat()`, or add `.take(BATCHES)`",
    ]
    assert told(steps, batches().take(0))[0] == "the train data of `sets.py:load` has no batches"


def test_streams_give_pairs_or_triples():
    def spec(function):
        return given(batches().map(function)).train.spec()

    assert told(spec, lambda x, y: x) == [
        "a batch of the train data of `sets.py:load` must be (x, y) or (x, y, weight), it is one "
        "value"
    ]
    assert told(spec, lambda x, y: (x, y, y, y))[0].endswith("it is 4 values")
    named = spec(lambda x, y: ({"a": x, "b": x}, y, y))
    assert named[0]["a"].shape == (4,)
    assert len(named) == 3


def test_a_keras_data_set_is_handed_through():
    import keras

    class Mine(keras.utils.PyDataset):
        told: list[str] = []  # noqa: RUF012

        def __len__(self):
            return 3

        def __getitem__(self, index):
            return {"a": X[2 * index : 2 * index + 2]}, Y[2 * index : 2 * index + 2]

        def on_epoch_begin(self):
            self.told.append("begin")

        def on_epoch_end(self):
            self.told.append("end")

    found = given((Mine(), SHORT))
    assert (found.train.kind, found.train.steps) == ("keras.utils.PyDataset", 3)
    assert found.train.spec()[0]["a"] == ((4,), "float32")
    assert [batch[1].tolist() for batch in found.train.batches()] == [[0, 1], [2, 0], [1, 2]]
    assert Mine.told == ["begin", "end"]
