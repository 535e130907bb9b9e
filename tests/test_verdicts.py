"""Verdicts on real sweeps that deserve them: small networks, real training, one process."""

import math
from threading import Event

import keras
import numpy as np
import pytest
from engines import data_set, source_of

from lrlab.finder import sweep
from lrlab.finder.suggestion import Verdict, suggest
from lrlab.tasks.optimizers import Sgd
from lrlab.tasks.setup import Setup
from lrlab.training.engines.tensorflow import TensorFlowEngine, Tensors
from lrlab.training.jobs import SweepJob
from lrlab.training.performing import perform

CLASSES = 4
IMAGES = 8_000
SEEDS = 3
INFORMED, SHUFFLED = "labels", "shuffled labels"


@pytest.fixture(scope="module")
def datasets():
    """Noisy images of 6x6 in 4 classes, with their labels and with the labels shuffled."""
    rng = np.random.default_rng(11)
    y = (np.arange(IMAGES) % CLASSES).astype(np.int32)
    x = rng.normal(size=(CLASSES, 36))[y] + rng.normal(scale=2.0, size=(IMAGES, 36))
    x = x.reshape(IMAGES, 6, 6).astype(np.float32)

    def of(labels):
        few = slice(0, 100)
        return data_set(x, labels, x[few], labels[few], classes=CLASSES)

    return {INFORMED: of(y), SHUFFLED: of(rng.permutation(y))}


def network(shape, classes, seed, bias="zeros"):
    def dense(units, activation, layer):
        start = keras.initializers.HeNormal(10 * seed + layer)
        return keras.layers.Dense(
            units, activation, kernel_initializer=start, bias_initializer=bias if layer else "zeros"
        )

    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Flatten(),
            dense(32, "relu", 1),
            dense(32, "relu", 2),
            dense(classes, "softmax", 0),
        ]
    )


def dead(shape, classes, seed):
    return network(shape, classes, seed, keras.initializers.Constant(-100.0))


@pytest.fixture(scope="module")
def swept(datasets):
    """Return a function that sweeps with three seeds; trainers are kept for the next case."""
    engines = {}

    def run(build=network, labels=INFORMED, batch_size=32, min_lr=1e-6, max_lr=10.0, steps=240):
        dataset = datasets[labels]
        setup = Setup(source_of(dataset), build, Sgd(type="sgd", momentum=0.9), batch_size)
        key = (setup, labels)
        if key not in engines:
            engines[key] = TensorFlowEngine(setup, Tensors.of(dataset))
        rates = sweep.rates(min_lr=min_lr, max_lr=max_lr, steps=steps)
        jobs = [SweepJob(setup, rates, seed) for seed in range(SEEDS)]
        seeds = [perform(job, engines[key], Event(), print) for job in jobs]
        return suggest(rates, np.stack([one.losses for one in seeds]), chance=math.log(CLASSES))

    return run


CASES = {
    "as it should be": (Verdict.OK, {}),
    "dead relu network": (Verdict.NO_DESCENT, {"build": dead}),
    "labels shuffled": (Verdict.NO_DESCENT, {"labels": SHUFFLED}),
    "range ends too low": (Verdict.NO_DIVERGENCE, {"max_lr": 3e-3}),
    "range begins too high": (Verdict.DIVERGED_AT_ONCE, {"min_lr": 0.3, "max_lr": 1e5}),
    "range is all too high": (Verdict.DIVERGED_AT_ONCE, {"min_lr": 10.0, "max_lr": 1e7}),
    "batches of one": (Verdict.NO_DESCENT, {"batch_size": 1, "steps": 180}),
    "batches of four": (Verdict.TOO_NOISY, {"batch_size": 4, "steps": 240}),
    "20 steps only": (Verdict.TOO_SHORT, {"steps": 20}),
}


@pytest.mark.parametrize(("verdict", "settings"), CASES.values(), ids=CASES.keys())
def test_a_real_sweep_gets_the_verdict_that_it_deserves(verdict, settings, swept):
    found = swept(**settings)
    assert found.verdict is verdict
    assert (found.steady_lr is None) == (verdict is not Verdict.OK)


def test_seeds_of_a_good_sweep_agree(swept):
    found = swept()
    assert 1 < found.spread <= 2
    for one in found.by_seed:
        assert one.steady_lr == pytest.approx(found.steady_lr, rel=1.0)
        assert one.max_lr == pytest.approx(found.max_lr, rel=1.0)
