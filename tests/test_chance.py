"""Whether a run ended no better than guessing."""

import math

import numpy as np
import pytest
from engines import LinearEngine, train
from hypothesis import given
from hypothesis import strategies as st

from lrlab import config
from lrlab.analysis.chance import best_guess, no_better
from lrlab.results.run import Guess, Status

TEN = Guess(score=0.1, loss=math.log(10), examples=5_000)
DIGITS = Guess(score=0.1345, loss=2.288, examples=119)
RARE = Guess(score=0.99, loss=0.056, examples=5_000)
FOUR_IMAGES = Guess(score=0.25, loss=math.log(4), examples=4)


@pytest.mark.parametrize(
    ("labels", "accuracy", "loss"),
    [
        ([0, 1, 2, 3], 0.25, math.log(4)),
        ([5, 5, 9, 9], 0.5, math.log(2)),
        ([0, 0, 0, 1], 0.75, -0.75 * math.log(0.75) - 0.25 * math.log(0.25)),
        ([7, 7, 7], 1.0, 0.0),
    ],
)
def test_the_best_constant_guess(labels, accuracy, loss):
    assert best_guess(np.array(labels)) == Guess(accuracy, pytest.approx(loss), len(labels))


@given(
    labels=st.lists(st.integers(0, 4), min_size=1, max_size=30),
    weights=st.lists(st.floats(0.01, 1), min_size=5, max_size=5),
)
def test_no_constant_guess_is_better(labels, weights):
    guess, probabilities = best_guess(np.array(labels)), np.array(weights) / sum(weights)
    assert -np.log(probabilities[labels]).mean() >= guess.loss - 1e-12
    assert (np.array(labels) == probabilities.argmax()).mean() <= guess.score


@pytest.mark.parametrize(
    ("guess", "accuracy", "loss"),
    [
        (TEN, 0.1, math.log(10)),  # Dead units: the same probabilities for all.
        (TEN, 0.1, 2.3022),  # Better by no more than the noise.
        (TEN, 0.0986, 2.31),
        (TEN, 0.112, 40.0),  # Within 3 standard errors, and confidently wrong.
        (DIGITS, 0.079, 2.4),
        (DIGITS, 0.1513, 2.33),
        (RARE, 0.99, 0.06),
        (FOUR_IMAGES, 0.25, 1.4),
    ],
)
def test_no_better(guess, accuracy, loss):
    assert no_better(guess, accuracy, loss)


@pytest.mark.parametrize(
    ("guess", "accuracy", "loss"),
    [
        (TEN, 0.12, 2.31),  # 4.7 standard errors above guessing.
        (TEN, 0.105, 2.29),  # It has just begun to learn; the loss shows it first.
        (TEN, 0.85, 9.0),  # Overconfident, but often right.
        (DIGITS, 0.3, 2.4),
        (RARE, 0.99, 0.04),  # No accuracy to gain, but it knows something.
        (FOUR_IMAGES, 0.75, 1.4),  # Few images do not condemn a run.
        (FOUR_IMAGES, 0.25, 0.9),
    ],
)
def test_clearly_better(guess, accuracy, loss):
    assert not no_better(guess, accuracy, loss)


def test_where_all_are_of_one_class_nothing_is_said():
    assert not no_better(best_guess(np.zeros(50, int)), 1.0, 0.0)


@given(labels=st.lists(st.integers(0, 9), min_size=2, max_size=200))
def test_a_perfect_run_is_never_condemned(labels):
    assert not no_better(best_guess(np.array(labels)), 1.0, 0.0)


def experiment(lr: float, epochs: int = 2):
    text = f"schedule: {{type: constant, lr: {lr}}}\nepochs: {epochs}"
    return config.parse(text).experiment


def test_a_run_that_learns_nothing_has_collapsed():
    engine = LinearEngine()
    result = train(engine, experiment(1e-12))
    assert result.status is Status.COLLAPSED
    assert result.guess == engine.guess == Guess(0.35, pytest.approx(1.097, abs=1e-3), 20)
    assert len(result.epochs) == 2
    assert result.diverged_at is None


def test_a_run_that_has_just_begun_to_learn_is_done():
    result = train(LinearEngine(), experiment(0.3, epochs=1))
    assert (result.status, result.guess) == (Status.DONE, None)


def test_a_run_that_diverged_is_not_collapsed_as_well():
    with np.errstate(divide="ignore"):
        result = train(LinearEngine(), experiment(1e9))
    assert (result.status, result.guess) == (Status.DIVERGED, None)
