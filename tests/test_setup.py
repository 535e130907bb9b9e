"""The setup: equal where training is equal, and an identity that older results know."""

from dataclasses import replace
from pathlib import Path

import pytest

from lrlab.config import Experiment
from lrlab.schedules import Length
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.optimizers import Adam, Nadam, Sgd
from lrlab.tasks.setup import Setup

SOURCE = DataSource.of("mine.npz", "f" * 64, 600, Path("mine.npz"))
SETUP = Setup(SOURCE, "mlp", Sgd(type="sgd", momentum=0.9), 32)

CHANGES = {
    "data": {"data": replace(SOURCE, fingerprint="e" * 64)},
    "model": {"model": "cnn"},
    "optimizer": {"optimizer": Adam(type="adam")},
    "its settings": {"optimizer": Sgd(type="sgd", momentum=0.8)},
    "batch size": {"batch_size": 64},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_another_setup_has_another_identity(change):
    other = replace(SETUP, **change)
    assert other != SETUP
    assert other.identity() != SETUP.identity()


def test_the_name_and_the_path_of_the_data_do_not_count():
    moved = replace(SETUP, data=replace(SOURCE, name="other.npz", path=Path("other.npz")))
    assert moved == SETUP
    assert hash(moved) == hash(SETUP)
    assert moved.identity() == SETUP.identity()


def test_the_identity_is_that_of_older_results():
    """Sweeps for `auto` are kept under its hash."""
    assert SETUP.identity() == ["mlp", {"type": "sgd", "momentum": 0.9}, 32, "f" * 64]
    nadam = replace(SETUP, optimizer=Nadam(type="nadam", momentum_decay=1.0))
    assert nadam.identity()[1] == {"type": "nadam"}


def test_an_experiment_gives_its_setup():
    schedule = {"type": "constant", "lr": 0.1}
    assert Experiment.model_validate({"schedule": schedule}).setup(SOURCE) == SETUP


@pytest.mark.parametrize(
    ("batch_size", "steps"), [(1, 550), (32, 18), (50, 11), (549, 2), (550, 1), (1000, 1)]
)
def test_an_epoch_ends_with_a_smaller_batch_where_it_must(batch_size, steps):
    assert replace(SETUP, batch_size=batch_size).length(3) == Length(steps, 3)


@pytest.mark.parametrize(
    ("optimizer", "name"),
    [
        (Sgd(type="sgd", nesterov=True), "SGD"),
        (Nadam(type="nadam"), "Nadam"),
        (Nadam(type="nadam", momentum_decay=0.004), "ScheduledNadam"),
    ],
)
def test_an_optimizer_builds_that_of_keras(optimizer, name):
    built = optimizer.build()
    assert type(built).__name__ == name
    for key in optimizer.model_fields_set - {"type", "momentum_decay"}:
        assert getattr(built, key) == getattr(optimizer, key)
