"""What a config says is held against its data before anything is trained."""

import numpy as np
import pytest
from told import Told
from typer.testing import CliRunner

from lrlab import config, experiment
from lrlab.cli import app
from lrlab.errors import ConfigError
from lrlab.results import lock
from lrlab.tasks import data, models

STEADY = "schedule: {type: constant, lr: 0.005}\nepochs: 1\n"
AUTO = "schedule: {type: one_cycle, max_lr: auto}\nepochs: 1\n"
CNN = "model: cnn\n"
MISFIT = "`cnn` needs images of at least 4x4 pixels, got "


@pytest.fixture
def write_data(tmp_path):
    """Return a function that writes an npz file with 120 images of a shape in two classes."""

    def write(*shape):
        path = tmp_path / "own.npz"
        x = np.random.default_rng(0).normal(size=(120, *shape))
        np.savez(path, x_train=x, y_train=np.arange(120) % 2)
        return path

    return write


def lrlab_cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("shape", "what"),
    [((8,), "features of shape (8,)"), ((3, 9), "images of shape (3, 9)"),
     ((9, 3, 3), "images of shape (9, 3, 3)")],
)  # fmt: skip
def test_a_model_that_cannot_take_the_data(shape, what, write_data, write_config, tmp_path):
    """It is an error of the config with its place, and the other experiments are not trained."""
    path, out = write_data(*shape), tmp_path / "out"
    files = [write_config(STEADY, "good.yaml"), write_config(STEADY + CNN, "bad.yaml"),
             write_config(CNN + AUTO, "auto.yaml")]  # fmt: skip
    done = lrlab_cli("compare", *files, "--data", path, "--out", out)
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    message = f"model: {MISFIT}{what} (own.npz)"
    assert done.stderr == (
        "error: 2 problems in 2 files\n"
        f"{files[1]}:3:8: {message}\n  | model: cnn\n  |        ^\n"
        f"{files[2]}:1:8: {message}\n  | model: cnn\n  |        ^\n"
    )
    assert [path.name for path in out.iterdir()] == [lock.NAME]


def test_find_lr_asks_the_same(write_data, write_config, tmp_path):
    path, out = write_data(8), tmp_path / "out"
    done = lrlab_cli("find-lr", write_config(CNN + AUTO), "--data", path, "--out", out)
    assert done.exit_code == 2, done.output
    assert f"x.yaml:1:8: model: {MISFIT}" in done.stderr
    done = lrlab_cli("find-lr", "--set", "model=cnn", "--data", path, "--out", out)
    assert done.exit_code == 2, done.output
    assert f"--set model=cnn: model: {MISFIT}" in done.stderr
    assert [path.name for path in out.iterdir()] == [lock.NAME]


def test_a_run_that_is_too_long_is_refused_before_a_sweep_for_another(small_npz, write_config):
    texts = {"auto": AUTO, "long": STEADY.replace("epochs: 1", "batch_size: 1\nepochs: 100000")}
    paths = [write_config(text, f"{name}.yaml") for name, text in texts.items()]
    read = config.read(paths, config.overrides([], data=str(small_npz)))
    told = Told()
    with pytest.raises(ConfigError, match=r"long.yaml:3:9: epochs: 100,000 epochs of 550 steps"):
        experiment.compare(read, out=paths[0].parent / "out", seeds=1, report=told)
    assert (told.notes, told.trained) == ([], [])


def test_a_batch_that_is_larger_than_the_data_is_warned_of(small_npz, write_config, tmp_path):
    path = write_config(STEADY + "batch_size: 1000\n")
    told = Told()
    read = config.read([path], config.overrides([], data=str(small_npz)))
    experiment.compare(read, out=tmp_path / "out", seeds=1, report=told)
    assert len(told.warnings) == 1
    assert told.warnings[0].startswith(
        f"{path}:3:13: batch_size: 1,000 is more than the 550 training images, so that an epoch"
    )
    assert told.trained == ["x 0"]


@pytest.mark.parametrize("shape", [(1,), (8,), (4, 4), (3, 4), (28, 28), (4, 4, 1), (5, 4, 2)])
@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_what_is_admitted_can_be_built(model, shape, write_data):
    """What the door says of a model's shape is what Keras says."""
    assert data.resolve(str(write_data(*shape))).shape == shape
    if models.misfit(model, shape):
        with pytest.raises(ValueError, match="model `cnn` needs images"):
            models.build(model, shape, 2, 0)
    else:
        assert models.build(model, shape, 2, 0).output_shape == (None, 2)


@pytest.mark.parametrize(
    ("schedule", "wrong"),
    [
        ("{type: one_cycle, max_lr: auto, start_lr: 20.0}",
         "start_lr must not be above max_lr, got 20.0 > 10.0"),
        ("{type: sequence, phases: [{type: constant, lr: auto, for: 1 epochs}, "
         "{type: formula, expression: 0.1 - step, for: rest}]}",
         r"gives -0.9 at step 1; a rate is finite and >= 0"),
    ],
)  # fmt: skip
def test_a_schedule_that_no_rate_fits_is_refused_before_the_sweep(
    schedule, wrong, write_data, write_config, tmp_path
):
    path, out = write_data(8), tmp_path / "out"
    file = write_config(f"schedule: {schedule}\nepochs: 2\n")
    done = lrlab_cli("compare", file, "--data", path, "--out", out)
    assert done.exit_code == 2, done.output
    assert f"schedule: no rate of a sweep (1e-06 to 10) fits it: {wrong}" in done.stderr
    assert [path.name for path in out.iterdir()] == [lock.NAME]
