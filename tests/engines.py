"""Engines and jobs for tests, and an engine without TensorFlow."""

from threading import Event

from linear import LinearEngine

from lrlab.config import Experiment
from lrlab.results.run import RunResult
from lrlab.tasks.data import DataSet
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.parts import Part, row_shapes
from lrlab.tasks.setup import Setup
from lrlab.tasks.task import of_kind
from lrlab.training.chunks import USUAL
from lrlab.training.course import train_run
from lrlab.training.engines.engine import Engine
from lrlab.training.engines.tensorflow import TensorFlowEngine, Tensors
from lrlab.training.jobs import RunJob

__all__ = ["LinearEngine", "data_set", "engine_for", "job_of", "setup_of", "source_of", "train"]


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
