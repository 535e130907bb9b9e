"""Amounts that are standardised for the loss, while the metric stays in their unit."""

from dataclasses import replace
from threading import Event

import numpy as np
import pytest
from told import Told

from lrlab import config, experiment
from lrlab.errors import DataError
from lrlab.tasks import data
from lrlab.tasks.data import DataSet
from lrlab.tasks.scale import Scale
from lrlab.training.engines.tensorflow import TensorFlowEngine, Tensors
from lrlab.training.jobs import RunJob
from lrlab.training.performing import perform

ROWS = 400
CENTRE, SPREAD = 300_000.0, 90_000.0


@pytest.fixture(scope="module")
def prices():
    """Inputs, and prices in the hundred thousands that they explain, shape (rows, 2)."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(ROWS, 5)).astype(np.float32)
    signal = np.stack([x[:, 0] + x[:, 1] ** 2, x[:, 2]], axis=1)
    noise = rng.normal(0, 0.1, (ROWS, 2))
    return x, (CENTRE + SPREAD * (signal + noise)).astype(np.float32)


def setup_on(path, text=""):
    read = config.reference(config.overrides(text.split(), data=str(path)))
    return read.experiment.setup(data.resolve(read.experiment.wanted))


def trained(setup, dataset):
    schedule = config.parse("schedule: {type: constant, lr: 0.01}").experiment.schedule
    engine = TensorFlowEngine(setup, Tensors.of(dataset))
    return perform(RunJob(setup, schedule, 2, 0), engine, Event(), print)


@pytest.fixture
def file_of(tmp_path):
    def write(x, y):
        path = tmp_path / "prices.npz"
        np.savez(path, x_train=x, y_train=y, x_test=x[:50], y_test=y[:50])
        return path

    return write


@pytest.mark.parametrize("columns", [slice(0, 1), slice(0, 2), 0])
def test_it_trains_as_on_targets_that_were_standardised_before(file_of, prices, columns):
    setup = setup_on(file_of(prices[0], prices[1][:, columns]))
    assert setup.scales_targets
    raw = data.load(setup.data)
    scale = raw.target_scale
    parts = (raw.train, raw.validation, raw.test)
    done = [replace(part, y=scale(part.y)) for part in parts]
    found, same = trained(setup, raw), trained(setup, DataSet(*done, raw.task, raw.scale))
    np.testing.assert_array_equal(found.loss, same.loss)
    assert [e.val_loss for e in found.epochs] == [e.val_loss for e in same.epochs]
    assert found.test_loss == same.test_loss
    if scale.factor.size > 1:
        return
    # The mean absolute error is in the unit of the prices.
    deviation = 1 / scale.factor.item()
    for one, other in zip(found.epochs, same.epochs, strict=True):
        assert one.score == pytest.approx(deviation * other.score, rel=1e-4)
        assert one.val_score == pytest.approx(deviation * other.val_score, rel=1e-4)
    assert found.test_score == pytest.approx(deviation * same.test_score, rel=1e-4)


def test_guessing_costs_the_variance_of_what_is_learned(file_of, prices):
    setup = setup_on(file_of(prices[0], prices[1][:, 0]))
    guess = TensorFlowEngine(setup, Tensors.of(data.load(setup.data))).guess
    held = data.load(setup.data).validation.y
    assert guess.score == pytest.approx(np.abs(held - np.median(held)).mean(), rel=1e-5)
    scale = data.load(setup.data).target_scale
    assert guess.loss == pytest.approx(scale(held).var(), rel=1e-5)


@pytest.mark.parametrize(
    ("text", "scaled"),
    [("", True), ("loss=mae", True), ("loss=huber", False), ("loss=mape", False)],
)
def test_only_losses_of_any_unit_are_of_standardised_targets(file_of, prices, text, scaled):
    setup = setup_on(file_of(prices[0], prices[1][:, 0]), text)
    assert setup.scales_targets == scaled
    assert setup.is_plain == (not scaled and not text)


def test_stated_or_not_they_are_told_apart(file_of, prices):
    path = file_of(prices[0], prices[1][:, 0])
    setups = [setup_on(path, f"scale={scale}") for scale in ("standard", "none")]
    assert [each.scales_targets for each in setups] == [True, False]
    assert setups[0].identity() != setups[1].identity()


def test_a_column_of_whole_prices_is_a_regression(tmp_path):
    told = []
    (tmp_path / "homes.csv").write_text(
        "area,price\n" + "".join(f"{40 + n},{100_000 + 2_345 * n}\n" for n in range(30))
    )
    source = data.resolve(str(tmp_path / "homes.csv"), warn=told.append)
    assert source.task.kind == "regression"
    assert any("whole numbers from 100000 to 168005, taken as amounts" in each for each in told)


def test_classes_in_a_csv_file_stay_classes(tmp_path):
    (tmp_path / "few.csv").write_text("a,b\n" + "".join(f"{n},{n % 3}\n" for n in range(30)))
    assert data.resolve(str(tmp_path / "few.csv")).task.kind == "classification"
    (tmp_path / "signs.csv").write_text(
        "a,b\n" + "".join(f"{n},{n % 2 * 2 - 1}\n" for n in range(9))
    )
    with pytest.raises(DataError, match="holds -1 and 1"):
        data.resolve(str(tmp_path / "signs.csv"))


def test_scale_of_targets_keeps_their_shape():
    y = np.arange(12, dtype=np.float32)
    assert Scale.of_targets(y).shift.shape == ()
    assert Scale.of_targets(y.reshape(6, 2)).factor.shape == (2,)
    assert Scale.of_targets(y)(y).std() == pytest.approx(1.0, rel=1e-6)


def test_raw_prices_are_compared_with_auto_and_plain_sgd(file_of, tmp_path, prices):
    """What a newcomer does: a file of raw prices, no word on scaling."""
    path = file_of(prices[0], prices[1][:, 0])
    text = f"schedule: {{type: constant, lr: auto}}\nepochs: 3\ndata: {path}\n"
    (tmp_path / "steady.yaml").write_text(text)
    read = config.read([tmp_path / "steady.yaml"])
    compared, _ = experiment.compare(read, out=tmp_path / "out", seeds=1, report=Told())
    (steady,) = compared.experiments
    assert (steady.status, steady.notes) == ("done", ())
    assert 1_000 < steady.final["val_mae"].mean < SPREAD
