"""Hostile and broken files: each is read, or refused in words; none takes the machine along."""

import ast
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from corpus import cases, readers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imports import imported

from lrlab import config
from lrlab.errors import LrlabError, UsageError
from lrlab.export import snippets
from lrlab.plots import dispatch
from lrlab.results import checkpoint, comparison, run_folder, sweep_record
from lrlab.tasks import fashion_mnist
from lrlab.tasks.readers import named_arrays

READ_ALL = Path(__file__).parent / "corpus" / "read_all.py"
NAMES = [f"{kind}/{name}" for kind, name, _ in cases.all_cases()]

stable = settings(
    max_examples=150,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


# --- the corpus ---


@pytest.fixture(scope="module")
def outcomes() -> dict[str, dict]:
    """What became of each case, all read in one process whose memory is limited."""
    done = subprocess.run(
        [sys.executable, str(READ_ALL)], capture_output=True, text=True, timeout=400, check=True
    )
    return json.loads(done.stdout)


def test_the_corpus_is_large_and_every_case_is_read(outcomes):
    assert list(outcomes) == NAMES
    assert len(NAMES) > 150
    assert {name.split("/")[0] for name in NAMES} == set(readers.READERS)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_or_refused_in_words(name, outcomes):
    assert outcomes[name]["escaped"] is None


@pytest.mark.parametrize("name", [name for name in NAMES if name.split("/")[1].startswith("good")])
def test_good_files_are_read(name, outcomes):
    assert outcomes[name]["said"] is None


REFUSED = {
    "config/alias-bomb.yaml": "1:4: anchors and aliases are not supported",
    "config/python-object.yaml": "tags (`!`) are not supported",
    "config/100 MB": "is larger than 50,000 bytes; is it a config?",
    "config/nested 20,000 lists": "nested too deeply",
    "config/nul.yaml": "unacceptable character #x0000",
    "config/utf-16.yaml": "is not UTF-8 text (byte 0); save it as UTF-8",
    "config/escape-quoted.yaml": "got `\\x1b]0;title\\x07`",
    "config/bidi-override.yaml": "\\u202e",
    "config/epochs-1e12.yaml": "epochs: must be at most 100000, got 1000000000000",
    "config/epochs-at-the-limit.yaml": "100,000 epochs of 1,719 steps are 171,900,000 steps",
    "config/duration-1e308.yaml": "schedule.s: must be from 1e-06 to 1e+09, got `1e308 epochs`",
    "config/growth-barely.yaml": "the period `1e-06 steps` comes more than 1,000,000 times",
    "config/cycles-too-many-phases.yaml": "schedule.cycles: must be at most 909 with 11 phases",
    "config/name-of-a-path.yaml": "since it names a folder; got `../../etc/passwd`",
    "config/data-device.yaml": "or FILE.py:FUNCTION, got `/dev/zero`",
    "config/keys up to the number": "case.yaml: and 2,380 more",
    "idx-images/bomb": "it unpacks to more than 64,000,000 bytes",
    "idx-images/bytes-after.gz": "7 bytes follow its end",
    "idx-unpacked/dims-overflow": "it claims the shape (4294967295, 4294967295, 4294967295)",
    "npz/bomb of 4 GB": "`x_train` would take 4,000,000,000 bytes of memory",
    "npz/pickled.npz": "`x_train` holds |O, not numbers",
    "npz/bzip2.npz": "`x_train` is packed by another method than numpy's",
    "npz/50,000 members": "its directory is too large",
    "npy/shape-1e12": "`x_train` claims the shape (1000000000000,), which does not fit its ",
    "npy/eval-call": "`x_train` does not have the header of a plain array",
    "run.json/nested 10**6 lists": "it is nested too deeply",
    "run.json/100 MB": "is larger than 16,000,000 bytes",
    "run.json/int-5000-digits.json": "Exceeds the limit (4300 digits)",
    "run.json/duplicate-key.json": "it states a key twice",
    "run.json/seconds-text.json": 'train_seconds must be a number, got `"1"`',
    "epochs.csv/epoch-gap.csv": "line 3 is not the result of epoch 1",
    "epochs.csv/nul.csv": "line 2 is not the result of epoch 0",
    "steps.npz/lengths.npz": "`loss` does not hold one float32 value per step",
    "comparison.json/run-outside.json": "experiments.0.runs must be the folder of each seed",
    "comparison.json/10**6 seeds": "experiments.0 must have as many values as seeds",
    "comparison.json/name-escape.json": 'must be a text of the usual form, got `"\\u001b[2J"`',
    "comparison.json/values-text.json": 'train_seconds.values.0 must be a number, got `"1"`',
    "sweep.json/steps-1e12.json": "settings.steps must be at most 1000000, got `1000000000000`",
    "sweep.json/min-lr-negative.json": "settings.min_lr must be at least 1e-100, got",
    "sweep.csv/step-twice.csv": "sweep.csv` cannot be read: line 3 is not the loss of another step",
    "checkpoint/other-comment.npz": "its checksum is not that of its content",
    "checkpoint/variables-gap.npz": "its variables of the model are not numbered",
}  # fmt: skip


@pytest.mark.parametrize(("name", "words"), REFUSED.items())
def test_what_is_said(name, words, outcomes):
    assert words in (outcomes[name]["said"] or "it was read")


def test_exported_code_imports_only_what_computes(outcomes):
    exported = 0
    for path in sorted((cases.HERE / "config").iterdir()):
        if outcomes[f"config/{path.name}"]["said"] is not None:
            continue
        (read,) = config.read([path])
        for to in ("python", "keras"):
            with contextlib.suppress(UsageError):  # A closed loop, or a rate that is auto.
                tree = ast.parse(snippets.export(read, to, 100))
                names = {name.split(".")[0] for name, _ in imported(tree)}
                assert names <= {"keras", "math", "numpy", "typing"}, path.name
                exported += 1
    assert exported > 60


# --- what only looks like a file ---

PLACES = {
    "pipe": os.mkfifo,
    "folder": Path.mkdir,
    "device": lambda path: path.symlink_to("/dev/zero"),
    "link to nothing": lambda path: path.symlink_to("nothing"),
    "link to itself": lambda path: path.symlink_to(path.name),
}


def read_fashion_mnist(folder: Path) -> None:
    for name in list(fashion_mnist.FILES)[1:]:
        (folder / name).write_bytes(b"")
    fashion_mnist.read(folder)


FILES = {
    "config": ("x.yaml", lambda folder: config.read([folder / "x.yaml"])),
    "train images": ("x.npz", lambda folder: named_arrays.train_rows(folder / "x.npz")),
    "npz": ("x.npz", lambda folder: named_arrays.read_npz(folder / "x.npz")),
    "idx": (next(iter(fashion_mnist.FILES)), read_fashion_mnist),
    "run": ("run.json", run_folder.read),
    "comparison": ("comparison.json", comparison.read),
    "sweep": ("sweep.json", sweep_record.read),
    "checkpoint": ("c.npz", lambda folder: checkpoint.read(folder / "c.npz")),
}
# Where the file may be missing, a link to nothing is none.
MAY_BE_MISSING = {"run", "checkpoint"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("file", FILES)
def test_only_regular_files_are_read(file, place, tmp_path):
    name, read = FILES[file]
    PLACES[place](tmp_path / name)
    if place == "link to nothing" and file in MAY_BE_MISSING:
        assert read(tmp_path) is None
        return
    with pytest.raises(LrlabError) as caught:
        read(tmp_path)
    assert str(tmp_path) in caught.value.message


# --- results of a stranger, drawn ---


def results(folder: Path) -> Path:
    """Make the good comparison of the corpus with its runs, and the good sweep."""
    folder.mkdir()
    good = cases.HERE / "comparison.json" / "good.json"
    (folder / comparison.FILE).write_bytes(good.read_bytes())
    for experiment in json.loads(good.read_bytes())["experiments"]:
        for place in experiment["runs"]:
            (folder / place).mkdir(parents=True)
            readers.write_run(folder / place, {})
    (folder / "sweep.json").write_text(json.dumps(readers.sweep_about()))
    (folder / "sweep.csv").write_bytes(readers.SWEEP_CSV)
    return folder


def test_good_results_are_drawn(tmp_path):
    drawn = dispatch.plot([results(tmp_path / "results")], None, "png", print)
    names = ["learning-rate.png", "loss.png", "accuracy.png", "sweep.png"]
    assert [path.name for path in drawn] == names


@pytest.mark.parametrize(
    "name",
    ["comparison.json", "sweep.json", "sweep.csv", "runs", "runs/power-0a0a0a0a0a",
     "runs/power-0a0a0a0a0a/seed-1", "runs/flat-0a0a0a0a0a/seed-0/run.json",
     "runs/flat-0a0a0a0a0a/seed-0/steps.npz"],
)  # fmt: skip
def test_results_do_not_lead_elsewhere(name, tmp_path):
    mine, theirs = results(tmp_path / "mine"), results(tmp_path / "theirs")
    link = theirs / name
    link.rename(tmp_path / "gone")
    link.symlink_to(mine / name)
    with pytest.raises(LrlabError, match="leads out of"):
        dispatch.plot([theirs], tmp_path / "out", "png", print)


def test_a_figure_does_not_overwrite_what_its_name_leads_to(tmp_path):
    folder = results(tmp_path / "results")
    target = tmp_path / "mine.txt"
    target.write_text("mine")
    (folder / "loss.png").symlink_to(target)
    dispatch.plot([folder], None, "png", print)
    assert target.read_text() == "mine"
    assert not (folder / "loss.png").is_symlink()


def test_odd_but_possible_values_are_drawn(tmp_path):
    folder = results(tmp_path / "results")
    good = json.loads((folder / comparison.FILE).read_bytes())
    for experiment in good["experiments"]:
        experiment["data"] = experiment["config"]["model"] = "$x_{$ \x1b[2J\u202e\\frac{"
    (folder / comparison.FILE).write_text(json.dumps(good | {"data": "$x_{$"}))
    odd = b"0,1e+300,nan,inf,-inf,1e-300\n1,0.0,nan,nan,nan,nan\n"
    head = readers.EPOCHS_CSV.split(b"\n")[0] + b"\n"
    readers.write_run(folder / "runs/power-0a0a0a0a0a/seed-0", {"epochs.csv": head + odd})
    readers.write_run(folder / "runs/power-0a0a0a0a0a/seed-1", {"epochs.csv": head})
    (folder / "sweep.json").write_text(
        json.dumps(readers.sweep_about(min_lr=1e-100, max_lr=1e100, data="$x_{$"))
    )
    drawn = dispatch.plot([folder], tmp_path / "out", "svg", print)
    assert len(drawn) == 4
    for path in drawn:
        assert not {c for c in path.read_text() if not c.isprintable()} - {"\n"}


# --- mutations ---

COMMITTED = {
    kind: [path.read_bytes() for path in sorted((cases.HERE / kind).iterdir())]
    for kind in readers.READERS
}
NASTY = ["", "~", "[]", "{}", "-1", "0", "1e400", ".nan", "99999999999999999999", "1e9 epochs",
         "0.000001%", "&a", "*a", "!!x", "<<", "'", '"', "\\", "\0", "\x1b", "\u202e", "\ufeff",
         "? ", "- ", ": ", "#", "---", "%", "|", ">", "\t", "\n", "\r", "true", "auto", "rest",
         "sequence", "formula", "one_cycle", "a" * 300]  # fmt: skip
GOOD_CONFIGS = [
    path.read_text("utf-8") for path in sorted((cases.HERE / "config").glob("good-*.yaml"))
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from([10**400, -(10**30), 2**63, "\x1b[2J", "../..", "done"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner,
                                                                max_size=3),
    max_leaves=6,
)  # fmt: skip


@st.composite
def config_texts(draw) -> bytes:
    """A good config, some of its words replaced by nasty ones or by those of another config."""
    parts = draw(st.sampled_from(GOOD_CONFIGS)).replace("{", " { ").replace(",", " , ").split(" ")
    others = draw(st.sampled_from(GOOD_CONFIGS)).split(" ")
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(parts) - 1))
        word = draw(st.sampled_from(NASTY) | st.sampled_from(others) | st.text(max_size=4))
        parts[place : place + draw(st.integers(0, 2))] = [word]
    return " ".join(parts).encode("utf-8", "surrogatepass")


@stable
@given(content=config_texts() | st.binary(max_size=200))
def test_any_config_is_read_or_refused_in_words(content, tmp_path):
    readers.outcome("config", tmp_path, content)


@st.composite
def damaged(draw) -> tuple[str, bytes]:
    """A file of the corpus, cut, changed or grown in some places."""
    kind = draw(st.sampled_from(sorted(set(readers.READERS) - {"config"})))
    content = bytearray(draw(st.sampled_from(COMMITTED[kind])))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(content)))
        content[at : at + draw(st.integers(0, 8))] = draw(st.binary(max_size=8))
    return kind, bytes(content)


@settings(stable, max_examples=500)
@given(case=damaged())
def test_any_damaged_file_is_read_or_refused_in_words(case, tmp_path):
    readers.outcome(case[0], tmp_path, case[1])


@st.composite
def changed_json(draw) -> tuple[str, bytes]:
    """Good JSON with another value, or none, in one place."""
    kind = draw(st.sampled_from(["run.json", "comparison.json", "sweep.json"]))
    good = draw(st.sampled_from(sorted((cases.HERE / kind).glob("good*.json"))))
    value = json.loads(good.read_bytes())
    inner = value
    while True:
        keys = list(inner) if isinstance(inner, dict) else list(range(len(inner)))
        key = draw(st.sampled_from(keys))
        deeper = isinstance(inner[key], dict | list) and len(inner[key]) > 0
        if not deeper or draw(st.integers(0, 3)) == 0:
            break
        inner = inner[key]
    if draw(st.booleans()):
        inner[key] = draw(json_values)
    else:
        del inner[key]
    return kind, json.dumps(value).encode()


@settings(stable, max_examples=600)
@given(case=changed_json())
def test_any_change_of_the_json_is_read_or_refused_in_words(case, tmp_path):
    readers.outcome(case[0], tmp_path, case[1])


@st.composite
def npy_headers(draw) -> bytes:
    """An array whose header claims anything."""
    descr = draw(st.sampled_from(["'|u1'", "'<f4'", "'>i8'", "'|O'", "'<U9'", "[('a', '<f4')]"]))
    sizes = st.integers(-(2**70), 2**70) | st.integers(0, 5)
    shape = tuple(draw(st.lists(sizes, max_size=4)))
    header = f"{{'descr': {descr}, 'fortran_order': {draw(st.booleans())}, 'shape': {shape}, }}"
    text = draw(st.just(header) | st.text(max_size=30)).encode("utf-8", "replace")
    version = draw(st.sampled_from([1, 2, 3, 9]))
    length = len(text).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes((version, 0)) + length + text + draw(st.binary(max_size=40))


@settings(stable, max_examples=300)
@given(content=npy_headers())
def test_whatever_an_array_claims_is_compared_with_its_size(content, tmp_path):
    readers.outcome("npy", tmp_path, content)
