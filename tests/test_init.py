"""`lrlab init`: configs to begin with, and which functions of a file make models or load data."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from lrlab import config
from lrlab.cli import app
from lrlab.config import source
from lrlab.config.json_schema import json_schema
from lrlab.errors import ResultsError, UsageError
from lrlab.io import atomic
from lrlab.tasks.code_reading import functions

ROOT = Path(__file__).parents[1]
NETS = """
raise SystemExit("this code must not run")
import keras
from keras import layers, Model


class Own(keras.Model):
    pass


class Further(Own):
    pass


def build(input_shape, outputs, seed, *, width=8):
    x = keras.Input(input_shape)
    return keras.Model(x, layers.Dense(outputs)(x))


def compiled():
    model = keras.Sequential([layers.Dense(3)])
    model.compile("adam", "mse")
    return model


def load_data():
    return (1, 2), (3, 4)
"""
FOUND = {
    "Sequential": "def f():\n    return keras.Sequential([])",
    "a bare name": "def f():\n    return Model(a, b)",
    "TensorFlow's Keras": "def f():\n    return tf.keras.models.Sequential()",
    "a name that was given a model": "def f():\n    m = Sequential()\n    m.add(x)\n    return m",
    "a subclass": "class Net(keras.Model):\n    pass\ndef f():\n    return Net(3)",
    "a subclass of a subclass": (
        "class A(Model):\n    pass\nclass B(A):\n    pass\ndef f():\n    return B()"
    ),
    "another function": "def g(n):\n    return Sequential()\ndef f():\n    return g(3)",
    "an application": "def f():\n    return keras.applications.ResNet50(weights=None)",
    "an annotation": "def f() -> keras.Model:\n    return make(3)",
    "an annotation in quotes": "def f() -> 'keras.Model':\n    return make(3)",
    "one branch": "def f():\n    if x:\n        return None\n    return keras.Model()",
}
NOT_FOUND = {
    "a layer": "def f():\n    return layers.Dense(3)",
    "an inner function's model": "def f():\n    def g():\n        return Model()\n    return 3",
    "a lambda": "f = lambda: Model()",
    "a private function": "def _f():\n    return Model()",
    "nothing": "x = 1",
    "a method": "class A:\n    def f(self):\n        return Model()",
}


def cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def nets(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(NETS)
    return path


@pytest.mark.parametrize("case", FOUND)
def test_functions_that_make_models_are_found(case, tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(FOUND[case])
    assert functions(path).models[-1:] == ("f",) or functions(path).unmet == {"f": ()}
    assert "f" in functions(path).models


@pytest.mark.parametrize("case", NOT_FOUND)
def test_others_are_not(case, tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(NOT_FOUND[case])
    assert functions(path).models == ()


EXAMPLES = {
    "vision/vision.py": (("build",), ("load",)),
    "tokens/reviews.py": (("build",), ("load",)),
    "tabular/regressor.py": (("build",), ()),
    "two_inputs/shop.py": (("build",), ("load",)),
    "fine_tuning/blobs.py": (("pretrain",), ("load",)),
    "own_schedule/warp.py": ((), ()),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_functions_of_the_examples_are_found(name):
    found = functions(ROOT / "examples" / name)
    assert (found.models, found.loaders) == EXAMPLES[name]


def test_a_function_that_needs_more_than_lrlab_gives_is_told(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text("def f(width, outputs, *, depth):\n    return keras.Model()\n")
    done = cli("init", tmp_path / "new", "--from", path)
    assert done.exit_code == 2
    assert f"`f` in `{path}` needs `width`, `depth`, which lrlab does not give" in done.stderr
    assert "`input_shape`, `outputs`, `seed`" in done.stderr
    assert not (tmp_path / "new").exists()


REFUSED = {
    "no model": ("x = 1", "has no function that returns a Keras model"),
    "not Python": ("def f(:\n", "is not Python: line 1: "),
    "too deep": ("(" * 5000 + ")" * 5000, " is not Python: |cannot be read: "),
    "not text": (b"\xff\xfe\x00", " is not Python: |cannot be read: "),
    "too large": ("#" * 1_100_000, "cannot be read: is larger than"),
    "too many": (
        "".join(f"def f{n}():\n    return Model()\n" for n in range(21)), "at most 20 get configs"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_used_is_refused(case, tmp_path):
    content, reason = REFUSED[case]
    path = tmp_path / "nets.py"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    done = cli("init", tmp_path / "new", "--from", path)
    assert done.exit_code == 2
    assert any(part in done.stderr for part in reason.split("|"))
    assert cli("init", tmp_path / "new", "--from", tmp_path / "none.py").exit_code == 2
    assert not (tmp_path / "new").exists()


# --- the configs ---


def test_it_writes_two_configs_that_say_what_comes_next(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = cli("init")
    assert (done.exit_code, done.stdout) == (0, "one_cycle.yaml\nconstant.yaml\n")
    assert done.stderr == "next: lrlab compare one_cycle.yaml constant.yaml\n"
    assert "#   lrlab compare one_cycle.yaml constant.yaml\n" in Path("one_cycle.yaml").read_text()


@pytest.mark.parametrize("prefix", ["", "build-", "compiled-"])
def test_the_configs_differ_in_the_schedule_alone(prefix, tmp_path, nets):
    out = tmp_path / "new"
    assert cli("init", out, *(["--from", nets] if prefix else [])).exit_code == 0
    paths = [out / f"{prefix}{name}.yaml" for name in ("constant", "one_cycle")]
    one, other = (each.experiment for each in config.read(paths))
    without = {"name": "", "schedule": one.schedule}
    assert one.model_copy(update=without) == other.model_copy(update=without)
    assert (one.schedule.type, other.schedule.type) == ("constant", "one_cycle")


def test_every_line_that_is_commented_out_can_be_used(tmp_path, nets):
    validator = jsonschema.Draft202012Validator(json_schema())
    for options in ([], ["--from", nets]):
        out = tmp_path / f"new{len(options)}"
        cli("init", out, *options)
        for path in out.iterdir():
            text, count = re.subn(r"^( *)# (\w+: \S.*)$", r"\1\2", path.read_text(), flags=re.M)
            assert count >= (4 if "one_cycle" in path.name else 0)
            lines = [line for line in text.splitlines() if not line.startswith("#   lrlab")]
            assert max(map(len, lines)) <= 100
            config.parse(re.sub(r"^optimizer.*momentum.*\n", "", text, flags=re.M))
            validator.validate(source.parse(source.Source("x", text)).data)


def test_each_function_of_a_file_gets_its_configs_and_nothing_is_run(tmp_path, nets):
    done = cli("init", tmp_path / "deep" / "new", "--from", nets)
    assert done.exit_code == 0, done.output
    files = sorted((tmp_path / "deep" / "new").iterdir())
    assert [path.name for path in files] == [
        "build-constant.yaml", "build-one_cycle.yaml", "compiled-constant.yaml",
        "compiled-one_cycle.yaml",
    ]  # fmt: skip
    assert done.stderr.endswith(f"--trust {nets}\n")
    for path in files:
        experiment = config.load(path)
        function = path.name.partition("-")[0]
        assert experiment.references() == {
            "model": f"{path.parent}/../../nets.py:{function}",
            "data": f"{path.parent}/../../nets.py:load_data",
        }
        assert (path.parent / experiment.model.rpartition(":")[0]).samefile(nets)


def test_a_strange_name_is_quoted(tmp_path):
    path = tmp_path / "my nets # 1.py"
    path.write_text("def build():\n    return keras.Model()\n")
    done = cli("init", tmp_path / "new", "--from", path)
    experiment = config.load(tmp_path / "new" / "constant.yaml")
    assert Path(experiment.model.removesuffix(":build")).samefile(path)
    assert shlex.split(done.stderr)[-1] == str(path)


@pytest.mark.parametrize("there", ["one_cycle.yaml", "constant.yaml"])
def test_nothing_is_ever_overwritten(there, tmp_path):
    (tmp_path / there).write_text("mine")
    done = cli("init", tmp_path)
    assert done.exit_code == 2
    assert f"`{tmp_path / there}` is there already, and nothing was written" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_takes_no_place_that_is_taken(links, tmp_path, monkeypatch):
    def no_link(*_):
        raise PermissionError(1, "not permitted")

    if not links:
        monkeypatch.setattr(os, "link", no_link)
    atomic.write_new(tmp_path / "a", "first")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    for name in ("a", "dangling"):
        with pytest.raises(ResultsError, match="File exists"):
            atomic.write_new(tmp_path / name, "second")
    assert (tmp_path / "a").read_text() == "first"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "dangling"]


def test_what_it_writes_is_trained(tmp_path, small_npz):
    cli("init", tmp_path)
    configs = [tmp_path / "one_cycle.yaml", tmp_path / "constant.yaml"]
    options = ["--data", small_npz, "--epochs", 1, "--out", tmp_path / "out"]
    done = cli("compare", *configs, *options)
    assert done.exit_code == 0, done.output
    assert "best" in done.stdout.splitlines()[0]


@pytest.mark.slow
def test_what_it_writes_is_trained_as_it_is(tmp_path):
    example = ROOT / "examples" / "vision" / "vision.py"
    program = [sys.executable, "-c", "from lrlab.cli import main; main()"]
    for options, trust in (([], []), (["--from", str(example)], ["--trust", str(example)])):
        folder = tmp_path / f"new{len(options)}"
        subprocess.run([*program, "init", str(folder), *options], check=True)
        files = [str(path) for path in sorted(folder.glob("*.yaml"))]
        out = ["--out", str(folder / "results")]
        subprocess.run([*program, "compare", *files, *trust, *out, "--seeds", "1"], check=True)


def test_an_unreadable_file_is_an_error(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        functions(tmp_path)
