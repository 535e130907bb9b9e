"""Every example does what its commands say: they are read from its file and run, one seed each."""

import ast
import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lrlab.cli import app

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
if not EXAMPLES.is_dir():
    pytest.skip("no examples/ beside the tests: run them in a checkout", allow_module_level=True)

FILES = sorted(path for path in EXAMPLES.glob("*/*.py") if "lrlab" in path.read_text())


def commands(path: Path) -> list[str]:
    """Return the commands in the docstring of an example."""
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [line.strip() for line in lines if line.strip().startswith("lrlab ")]


def run(command: str, *more: str):
    """Run a command as a shell would in the root of the repository."""
    words = []
    for word in shlex.split(command)[1:]:
        words += sorted(map(str, ROOT.glob(word))) if "*" in word else [word]
    return CliRunner().invoke(app, [*words, *more])


@pytest.fixture(autouse=True)
def in_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="module", autouse=True)
def _pretrained():
    """The file that `python examples/fine_tuning/blobs.py` writes."""
    path = EXAMPLES / "fine_tuning" / "pretrained.keras"
    there = path.exists()
    if not there:
        scope = {"__file__": str(path.with_name("blobs.py")), "__name__": "__main__"}
        exec(compile(path.with_name("blobs.py").read_text(), "blobs.py", "exec"), scope)
    yield
    if not there:
        path.unlink()


def test_there_is_an_example_of_each_kind():
    kinds = {path.parent.name for path in FILES}
    assert kinds >= {
        "vision", "tabular", "tokens", "fine_tuning", "two_inputs", "own_schedule"
    }  # fmt: skip
    assert all(commands(path) for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_it_compares_its_schedules(path, tmp_path):
    (command,) = [each for each in commands(path) if each.startswith("lrlab compare")]
    done = run(command, "--seeds", "1", "--out", str(tmp_path), "--json")
    assert done.exit_code == 0, done.output
    compared = json.loads(done.stdout)["experiments"]
    assert [e["name"] for e in compared] == sorted(p.stem for p in path.parent.glob("*.yaml"))
    for experiment in compared:
        learned(path.parent.name, experiment["final"])


def learned(kind: str, final: dict) -> None:
    """Make sure that the model is clearly better than guessing, of the example's own data."""
    if "val_mae" in final:
        # A guess is 0.9 off for the houses, whose prices are 3.4 ± 1.1; 0.2 for `cycling`.
        assert final["val_mae"]["values"][0] < {"tabular": 0.2, "own_schedule": 0.15}[kind]
        return
    guess = {"vision": 0.1, "tokens": 0.55, "fine_tuning": 0.13, "two_inputs": 0.17}[kind]
    assert final["val_accuracy"]["values"][0] > guess + 0.2


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_its_code_does_not_run_unless_the_command_names_it(path, tmp_path):
    for command in commands(path):
        words = re.sub(r" --trust \S+", "", command)
        writes = "compare" in words or "find-lr" in words
        done = run(words, *(["--out", str(tmp_path / "none")] if writes else []))
        assert done.exit_code == 2
        assert "code runs only if the command line names it" in done.stderr
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", ["vision", "tabular", "two_inputs"])
def test_it_finds_a_rate(kind, tmp_path):
    (path,) = [path for path in FILES if path.parent.name == kind]
    (command,) = [each for each in commands(path) if each.startswith("lrlab find-lr")]
    done = run(command, "--seeds", "2", "--out", str(tmp_path), "--json")
    found = json.loads(done.stdout)
    assert (done.exit_code, found["verdict"]) == (0, "ok")
    assert found["steady_lr"] < found["max_lr"]


def test_the_curve_of_the_own_schedule_is_drawn_and_exported():
    path = EXAMPLES / "own_schedule" / "warp.py"
    drawn, exported = [run(c) for c in commands(path) if "compare" not in c]
    assert drawn.exit_code == exported.exit_code == 0, drawn.output + exported.output
    assert "A  after_warmup" in drawn.stdout
    scope: dict = {}
    exec(exported.stdout, scope)
    steps = int(re.findall(r"last=(\d+)", exported.stdout)[-1]) + 1
    rates = scope["learning_rate"](np.arange(steps))
    assert rates.max() == pytest.approx(0.01)
    assert rates.argmax() < steps / 2 < steps


def test_the_table_is_the_one_that_its_script_writes():
    path = EXAMPLES / "tabular" / "houses.py"
    scope = {"__file__": str(path), "__name__": "houses"}
    exec(compile(path.read_text(), "houses.py", "exec"), scope)
    lines = [",".join(map(str, row)) for row in scope["rows"]()]
    assert (path.parent / "houses.csv").read_text().splitlines() == lines


def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch):
    nbclient = pytest.importorskip("nbclient", reason="needs the extra `dev`")
    nbformat = pytest.importorskip("nbformat", reason="needs the extra `dev`")
    pytest.importorskip("pandas", reason="the last cell needs pandas")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = nbformat.read(EXAMPLES / "notebook" / "compare.ipynb", as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    done = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    outputs = [output for cell in done.cells for output in cell.get("outputs", [])]
    shown = " ".join(json.dumps(output) for output in outputs)
    for part in ("steady_lr", "the best", "text/html", "image/png", "staircase", "mean"):
        assert part in shown
    assert list(tmp_path.iterdir()) == []
