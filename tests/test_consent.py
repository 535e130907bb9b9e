"""Nothing runs a user's code unless the command line, or Python, names it."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from typer.testing import CliRunner

import lrlab
from lrlab.cli import app
from lrlab.errors import LrlabError

BOMB = "import pathlib\npathlib.Path('ran').touch()\n"
PARTS = {
    "model": "model: nets.py:f",
    "model.build": "model: {build: nets.py:f, args: {a: 1}}",
    "model of a module": "model: nets:f",
    "data": "data: nets.py:f",
    "data.load": "data: {load: nets.py:f}",
    "loss": "loss: nets.py:f",
    "metric.name": "metric: {name: nets.py:f, mode: max}",
    "optimizer.type": "optimizer: {type: nets.py:f}",
}
SCHEDULES = {
    "schedule.type": "schedule: {type: nets.py:f}",
    "schedule.phases.0.type": "schedule: {type: sequence, phases: [{type: nets.py:f}]}",
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Work in a folder with a file of code that leaves a trace when it runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nets.py").write_text(BOMB)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, list(map(str, words)))


def config(text: str) -> Path:
    if "schedule:" not in text:
        text = f"schedule: {{type: constant, lr: 0.1}}\n{text}"
    Path("a.yaml").write_text(f"{text}\n")
    return Path("a.yaml")


@pytest.mark.parametrize(
    "text", [*PARTS.values(), *SCHEDULES.values()], ids=[*PARTS, *SCHEDULES]
)  # fmt: skip
@pytest.mark.parametrize("command", ["compare", "find-lr", "plot", "export"])
def test_no_config_runs_code_alone(command, text, here):
    of_curve = text in SCHEDULES.values()
    out = [] if command == "export" else ["--out", "out"]
    more = ["--steps-per-epoch", "10"] if command == "export" else []
    done = run(command, config(text), *out, *more)
    if command in ("plot", "export") and not of_curve:
        assert done.exit_code == 0, done.stderr  # Only the schedule matters to them.
    else:
        assert done.exit_code == 2
        assert "is code, and code runs only if the command line names it" in done.stderr
        assert "if you trust it, add `--trust nets" in done.stderr
        assert not Path("out").exists()
    assert not Path("ran").exists()


@pytest.mark.parametrize("text", [*PARTS.values(), *SCHEDULES.values()])
def test_python_reads_a_config_and_runs_nothing(text):
    path = config(text)
    lrlab.load(path)
    with pytest.raises(LrlabError, match="code runs only if the command line names it"):
        lrlab.compare([path], out="out")
    assert not Path("ran").exists()


def test_a_saved_model_is_not_opened_without_consent(monkeypatch):
    def opened(*_, **__):
        raise AssertionError("it was opened")

    monkeypatch.setattr(keras.models, "load_model", opened)
    Path("net.keras").write_bytes(b"anything")
    for text in ("model: net.keras", "model: {build: net.keras, weights: file}"):
        done = run("compare", config(text), "--out", "out")
        assert done.exit_code == 2
        assert "--trust net.keras" in done.stderr
    assert not Path("out").exists()


def test_code_in_a_saved_model_does_not_run_even_with_consent(small_npz):
    model = keras.Sequential([keras.Input((8, 8)), keras.layers.Flatten()])
    model.add(keras.layers.Lambda(lambda x: Path("ran").touch() or x[:, :4], output_shape=(4,)))
    model.save("net.keras")
    Path("ran").unlink(missing_ok=True)
    text = f"model: net.keras\ndata: {small_npz}"
    done = run("compare", config(text), "--out", "out", "--trust", "net.keras")
    assert done.exit_code == 2
    assert "`net.keras` cannot be loaded" in done.stderr
    assert not Path("ran").exists()


def test_no_results_directory_brings_code_in(small_npz):
    """Of a comparison with own code, and then without that code, and then with other code."""
    Path("nets.py").write_text(
        "import keras\n\n\ndef f(outputs):\n"
        "    layers = [keras.layers.Flatten(), keras.layers.Dense(outputs, 'softmax')]\n"
        "    return keras.Sequential(layers)\n\n\ndef falling(step):\n    return 0.1 / (1 + step)\n"
    )
    text = f"schedule: {{type: nets.py:falling}}\nmodel: nets.py:f\ndata: {small_npz}\nepochs: 1"
    done = run("compare", config(text), "--out", "out", "--seeds", "1", "--trust", "nets.py")
    assert done.exit_code == 0, done.stderr
    for code in (BOMB, None):
        Path("nets.py").write_text(code) if code else Path("nets.py").unlink()
        for words in (["plot", "out"], ["check", "out"], ["check", "out", "--repair"]):
            done = run(*words)
            assert done.exit_code == 0, done.stderr
        assert lrlab.load_results("out").experiments == ("a",)
        assert not Path("ran").exists()


def test_text_of_a_config_is_a_literal_in_exported_code():
    Path("nets.py").write_text("def f(step, text):\n    return 0 * step + len(text)\n")
    evil = "'); open('ran', 'w'); ('"
    path = config(f"schedule: {{type: nets.py:f, args: {{text: {json.dumps(evil)}}}}}")
    done = run("export", path, "--steps-per-epoch", "10", "--trust", "nets.py")
    assert done.exit_code == 0, done.stderr
    scope: dict = {}
    exec(done.stdout, scope)
    np.testing.assert_array_equal(scope["learning_rate"](np.arange(3)), len(evil))
    assert not Path("ran").exists()
