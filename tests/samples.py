"""Runs and comparisons that several test modules share."""

from dataclasses import replace

import numpy as np

from lrlab.analysis import summaries
from lrlab.results.comparison import ExperimentSummary
from lrlab.results.run import EpochResult, Guess, RunResult, Status

CONFIG = {
    "name": "power",
    "schedule": {"type": "power", "initial_lr": 0.01, "s": "2 epochs", "c": 1.0},
    "model": "mlp",
    "optimizer": {"type": "sgd", "momentum": 0.9},
    "batch_size": 32,
    "epochs": 2,
}


def run(*accuracies: float, val_loss=0.5, test=0.8, seconds=2.0, status=Status.DONE) -> RunResult:
    """A run with these validation accuracies, the loss falling by 0.1 an epoch to `val_loss`."""
    last, trained = len(accuracies) - 1, 0.1 if status is Status.COLLAPSED else 0.5
    return RunResult(
        status,
        tuple(
            EpochResult(i, 0.1, 1.0, trained, val_loss + 0.1 * (last - i), accuracy)
            for i, accuracy in enumerate(accuracies)
        ),
        lr=np.float32([0.1, 0.25]),
        loss=np.float32([2.0, 1.0]),
        test_score=test,
        train_seconds=seconds,
    )


DIVERGED = replace(run(0.1, status=Status.DIVERGED, test=None), diverged_at=1)
COLLAPSED = replace(run(0.1, status=Status.COLLAPSED), guess=Guess(0.125, 2.25, 80))
FAILED = RunResult(Status.FAILED, error="ValueError: no such luck")


def summary(*results: RunResult, **changes) -> ExperimentSummary:
    """The summary of an experiment with one run per seed."""
    config = CONFIG | changes
    return summaries.summarise(
        config,
        dict(enumerate(results)),
        data=changes.pop("data", "Fashion-MNIST"),
        steps_per_epoch=1,
        folders=[f"runs/{config['name']}-0123456789/seed-{seed}" for seed in range(len(results))],
    )
