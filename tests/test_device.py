"""`--device`: without a GPU, nothing that it can say changes a result."""

import os

import pytest
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.errors import UsageError
from lrlab.io import device

CONFIG = "schedule: {type: constant, lr: 0.005}\nepochs: 1\n"
VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "TF_FORCE_GPU_ALLOW_GROWTH")
ON_GPU = ("TF_DETERMINISTIC_OPS", "NVIDIA_TF32_OVERRIDE")


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    """Leave neither variables nor a choice behind."""
    for name in (*VARIABLES, *ON_GPU):
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    monkeypatch.setattr(device, "_wanted", "auto")


def compare(tmp_path, data, *options):
    (tmp_path / "a.yaml").write_text(CONFIG)
    words = ["compare", tmp_path / "a.yaml", "--data", data, "--seeds", "1", *options]
    return CliRunner().invoke(app, [str(word) for word in words])


def test_without_a_gpu_all_choices_give_the_same_bytes(tmp_path, small_npz):
    for name in ("auto", "cpu"):
        ended = compare(tmp_path, small_npz, "--device", name, "--out", tmp_path / name)
        assert ended.exit_code == 0, ended.output
    assert compare(tmp_path, small_npz, "--out", tmp_path / "none").exit_code == 0
    runs = [sorted((tmp_path / name).glob("runs/*/*/*.*")) for name in ("auto", "cpu", "none")]
    for paths in zip(*runs, strict=True):
        if paths[0].name != "run.json":
            assert len({path.read_bytes() for path in paths}) == 1


def test_no_gpu_is_told_before_anything_is_trained(tmp_path, small_npz):
    ended = compare(tmp_path, small_npz, "--device", "gpu", "--out", tmp_path / "out")
    assert ended.exit_code == 2
    assert "TensorFlow sees no GPU here" in ended.stderr
    assert not list((tmp_path / "out").glob("runs/*/*"))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--device", "tpu"], "`--device` must be auto, cpu or gpu, got `tpu`"),
        (["--device", "gpu", "--cluster", "local"], "`--cluster` trains on processors alone"),
    ],
)
def test_what_cannot_be_chosen(options, said, tmp_path, small_npz):
    ended = compare(tmp_path, small_npz, *options, "--out", tmp_path / "out")
    assert ended.exit_code == 2
    assert said in ended.stderr


@pytest.mark.parametrize("name", ["auto", "cpu", "gpu"])
def test_only_what_concerns_gpus_is_set(name):
    before = dict(os.environ)
    device.choose(name)
    changed = {key for key in os.environ if os.environ[key] != before.get(key)}
    hides = set(VARIABLES[:2]) if name == "cpu" else set()
    wants = set(ON_GPU) if name == "gpu" else set()
    assert changed == {VARIABLES[2]} | hides | wants


def test_what_the_user_has_set_stays(monkeypatch):
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", "false")
    monkeypatch.setenv("TF_DETERMINISTIC_OPS", "0")
    device.choose("gpu")
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "false"
    assert os.environ["TF_DETERMINISTIC_OPS"] == "0"
    device.check("NVIDIA H100")
    with pytest.raises(UsageError):
        device.check("CPU")
