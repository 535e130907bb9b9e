"""Engines and jobs for tests, and an engine without TensorFlow."""

from threading import Event

import numpy as np

from lrlab.analysis.chance import best_guess
from lrlab.config import Experiment
from lrlab.results.run import RunResult
from lrlab.tasks.data import DataSet
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.parts import Part, row_shapes
from lrlab.tasks.setup import Setup
from lrlab.tasks.task import of_kind
from lrlab.training.chunks import USUAL
from lrlab.training.course import train_run
from lrlab.training.engines.engine import Engine, Score, Variables
from lrlab.training.engines.tensorflow import TensorFlowEngine, Tensors
from lrlab.training.jobs import RunJob


def source_of(data: DataSet) -> DataSource:
    shape = row_shapes(data.train.x)
    return DataSource("test data", "0" * 64, len(data.train), shape=shape, task=data.task)


def data_set(x, y, x_val, y_val, x_test=None, y_test=None, classes=10) -> DataSet:
    """A data set of classes, of arrays that are scaled already."""
    test = None if x_test is None else Part(x_test, y_test)
    task = of_kind("classification", classes)
    return DataSet(Part(x, y), Part(x_val, y_val), test, task)


def setup_of(what: Experiment, data: DataSet) -> Setup:
    return what.setup(source_of(data))


def engine_for(what: Experiment, data: DataSet) -> TensorFlowEngine:
    return TensorFlowEngine(setup_of(what, data), Tensors.of(data))


def job_of(what: Experiment, seed: int = 0, **options) -> RunJob:
    nothing = DataSource("never read", "0" * 64, 1)
    return RunJob(what.setup(nothing), what.schedule, what.epochs, seed, **options)


def train(
    engine: Engine, what: Experiment, seed: int = 0, *, stop=None, tell=None, pace=USUAL, **options
) -> RunResult:
    """Train a run on an engine; options are those of its job."""
    job = job_of(what, seed, **options)
    return train_run(engine, job, stop=stop or Event(), tell=tell or (lambda _: None), pace=pace)


class LinearEngine(Engine):
    """Softmax regression by plain gradient descent, in NumPy: an engine that starts in no time."""

    def __init__(self, batch_size: int = 32, images: int = 100, classes: int = 3) -> None:
        rng = np.random.default_rng(7)
        self.batch_size, self.images = batch_size, images
        self._classes = classes
        labels = np.arange(images + 20) % classes
        pixels = rng.normal(size=(classes, 5))[labels] + rng.normal(size=(images + 20, 5))
        self._x, self._y = pixels[:images], labels[:images]
        self._x_val, self._y_val = pixels[images:], labels[images:]
        self.guess = best_guess(self._y_val)
        self.started: list[int] = []
        self.start(0)

    def start(self, seed):
        self.started.append(seed)
        self._correct = 0
        rng = np.random.default_rng(seed)
        self._weights = rng.normal(0, 0.1, (5, self._classes)).astype(np.float32)

    def train(self, order, rates, momenta=None):
        losses = np.zeros(len(rates), np.float32)
        for step, rate in enumerate(rates):
            picked = order[step * self.batch_size : (step + 1) * self.batch_size]
            x, y = self._x[picked], self._y[picked]
            probabilities = self._probabilities(x)
            losses[step] = -np.log(probabilities[np.arange(len(y)), y]).mean()
            self._correct += int((probabilities.argmax(axis=1) == y).sum())
            error = probabilities - np.eye(self._classes)[y]
            self._weights = (self._weights - rate * x.T @ error / len(y)).astype(np.float32)
        return losses

    def take_score(self, examples):
        found, self._correct = self._correct / examples, 0
        return found

    def evaluate(self, split):
        if split == "test":
            return None
        x, y = (self._x, self._y) if split == "train" else (self._x_val, self._y_val)
        probabilities = self._probabilities(x)
        loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
        return Score(float(loss), float((probabilities.argmax(axis=1) == y).mean()))

    def variables(self):
        return Variables((self._weights.copy(),), (), (np.int32(self._correct),))

    def restore(self, values):
        if [value.shape for value in values.model] != [self._weights.shape] or values.optimizer:
            raise ValueError("it is of another model or optimizer")
        self._weights = values.model[0].copy()
        self._correct = int(values.tally[0])

    def _probabilities(self, x):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            logits = x @ self._weights
            grown = np.exp(logits - logits.max(axis=1, keepdims=True))
            return grown / grown.sum(axis=1, keepdims=True)
