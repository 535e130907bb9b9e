"""oneDNN is chosen by what is trained, before TensorFlow is imported; the identity says so."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lrlab.tasks import onednn

HOME = Path(__file__).parent
LENET = "schedule: {type: constant, lr: 0.05}\nmodel: lenet\nepochs: 1\nbatch_size: 256\n"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from keras import layers\ndef build():\n    return layers.Conv2D(4, 3)\n", True),
        ("from keras.layers import SeparableConv1D\n", True),
        ("from keras.layers import Conv2D as C\n", True),
        ("import tensorflow as tf\nf = tf.nn.conv2d\n", True),
        ("import keras\nf = keras.applications.MobileNetV2\n", True),
        ("from keras.applications import resnet\n", True),
        ("from keras import layers\n# instead of Conv2D\nx = layers.Dense(3)\n", False),
        ("from keras import layers\nx = 'Conv2D'\n", False),
        ("def conversation(): pass\nconv = 3\n", False),
        ("from blocks import block\n", True),
        ("this is ( no Python", False),
        ("", False),
    ],
)
def test_a_source_is_convolutional_by_the_layers_that_it_names(tmp_path, source, expected):
    (tmp_path / "blocks.py").write_text("from keras.layers import Conv2D as block\n")
    (tmp_path / "nets.py").write_text(source)
    assert onednn.convolves(f"{tmp_path}/nets.py:build") is expected


def test_a_module_is_found_without_running_its_packages(tmp_path, monkeypatch):
    package = tmp_path / "mine"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('it ran')\n")
    (package / "nets.py").write_text("import keras\nf = keras.layers.Conv2D\n")
    (package / "dense.py").write_text("import keras\nf = keras.layers.Dense\n")
    monkeypatch.chdir(tmp_path)
    assert onednn.convolves("mine.nets:build")
    assert not onednn.convolves("mine.dense:build")
    assert not onednn.convolves("mine.nowhere:build")
    assert not onednn.convolves("nobody.nets:build")


@pytest.mark.parametrize(("layer", "expected"), [("Conv2D", True), ("Dense", False)])
def test_a_saved_model_is_convolutional_by_its_layers(tmp_path, layer, expected):
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps({"layers": [{"class_name": layer}]}))
    assert onednn.convolves(str(path)) is expected


@pytest.mark.parametrize("held", [b"", b"PK\x03\x04", b"no archive"])
def test_what_cannot_be_read_is_not_convolutional(tmp_path, held):
    path = tmp_path / "net.keras"
    path.write_bytes(held)
    assert not onednn.convolves(str(path))
    assert not onednn.convolves(str(tmp_path / "missing.keras"))
    assert not onednn.convolves(str(tmp_path / "missing.py:build"))


def test_the_reference_models_that_are_older_than_the_choice_keep_their_results():
    assert [each for each in ("mlp", "cnn", "linear", "attention") if onednn.convolves(each)] == []
    assert all(map(onednn.convolves, ("lenet", "cnn_bn", "resnet8")))


def chosen(models, **environment):
    """What a new process has chosen after each of some commands."""
    code = (
        "import json, os, sys\nfrom lrlab.tasks import onednn\nfound = []\n"
        "for models in json.loads(sys.argv[1]):\n"
        "    onednn.choose(models)\n    found.append(os.environ[onednn.VARIABLE])\n"
        "print(json.dumps(found))"
    )
    env = {k: v for k, v in os.environ.items() if k != onednn.VARIABLE} | environment
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(models)],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_it_is_on_where_all_models_are_convolutional():
    models = [["lenet", "cnn_bn"], ["lenet", "mlp"], ["lenet"], [], ["cnn"]]
    assert chosen(models) == ["1", "0", "1", "0", "0"]


@pytest.mark.parametrize("stated", ["0", "1"])
def test_the_environment_has_the_last_word(stated):
    assert chosen([["lenet"], ["mlp"]], **{onednn.VARIABLE: stated}) == [stated, stated]


def lrlab(*args, cwd):
    env = {k: v for k, v in os.environ.items() if k not in (onednn.VARIABLE, "PYTHONPATH")}
    env["PYTHONPATH"] = str(HOME.parent)
    return subprocess.run(
        [sys.executable, "-m", "lrlab", *args],
        cwd=cwd, env=env, capture_output=True, text=True, check=False,
    )  # fmt: skip


def runs(folder):
    return {path: json.loads(path.read_text()) for path in folder.glob("runs/**/run.json")}


@pytest.mark.slow
def test_the_choice_stands_in_the_identity_of_a_run(tmp_path):
    (tmp_path / "lenet.yaml").write_text(LENET)
    (tmp_path / "mlp.yaml").write_text(LENET.replace("lenet", "mlp"))
    common = ("--data", "sketches", "--seeds", "1", "--out", "found")
    alone = lrlab("compare", "lenet.yaml", *common, cwd=tmp_path)
    assert alone.returncode == 0, alone.stderr
    (record,) = runs(tmp_path / "found").values()
    assert record["code"] == {"onednn": True}
    assert record["environment"]["onednn"] is True

    beside = lrlab("compare", "lenet.yaml", "mlp.yaml", *common, cwd=tmp_path)
    assert beside.returncode == 0, beside.stderr
    made = [
        (each["environment"]["onednn"], "code" in each)
        for each in runs(tmp_path / "found").values()
    ]
    assert sorted(made) == [(False, False), (False, False), (True, True)]

    again = lrlab("compare", "lenet.yaml", *common, cwd=tmp_path)
    assert "1 reused" in again.stdout + again.stderr or len(runs(tmp_path / "found")) == 3
    assert lrlab("check", "found", cwd=tmp_path).returncode == 0


@pytest.mark.slow
def test_convolutions_equal_those_of_fit_under_onednn_too():
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
         "tests/test_own_models.py", "-k", "convolutional"],
        cwd=HOME.parent, env=os.environ | {onednn.VARIABLE: "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
