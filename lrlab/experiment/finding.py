"""Carry out an LR sweep: every seed side by side, then the suggestion."""

import functools
import math
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lrlab import data, runs, sweep, sweep_record
from lrlab.config import Config
from lrlab.data import DataSource
from lrlab.errors import Interrupted, UsageError
from lrlab.experiment import pool
from lrlab.experiment.preparation import prepare
from lrlab.suggestion import suggest
from lrlab.sweep_record import SweepRecord

DEFAULT_MIN_LR = 1e-6
DEFAULT_MAX_LR = 10.0
_FEWEST_STEPS, _MOST_STEPS = 200, 500


class Report(Protocol):
    """What a sweep tells while it goes on; all calls come from one thread."""

    def warn(self, text: str) -> None:
        """Something that the user should know."""

    def waiting(self, text: str) -> Any:
        """Return a context manager around a wait."""


def find_lr(
    config: Config,
    *,
    out: Path,
    seeds: int,
    report: Report,
    min_lr: float = DEFAULT_MIN_LR,
    max_lr: float = DEFAULT_MAX_LR,
    steps: int | None = None,
    data_dir: Path | None = None,
) -> SweepRecord:
    """Sweep the learning rate upward for each seed and suggest rates.

    Args:
        config: The experiment; its schedule plays no part.
        out: Where `sweep.csv` and `sweep.json` are written.
        seeds: How many seeds: 0, 1, ... `seeds - 1`.
        report: Told what happens.
        min_lr: The first rate, > 0.
        max_lr: The last rate, > `min_lr`.
        steps: Steps of the sweep, >= 2; default one epoch, but at least 200 and at most 500.
        data_dir: Where Fashion-MNIST is looked for first.

    Raises:
        UsageError: If `min_lr` is not below `max_lr`, or one of them is no finite rate above 0.
        DataError: If the data set cannot be had.
        ResultsError: If `out` cannot be written.
        Interrupted: On Ctrl-C.
    """
    if not 0 < min_lr < max_lr < math.inf:
        raise UsageError(
            f"the sweep must go upward from above 0, got {min_lr:g} to {max_lr:g}",
            "give a `--min-lr` below `--max-lr`",
        )
    runs.check_writable(out)
    experiment = config.experiment
    with report.waiting("Looking for the data"):
        source = data.resolve(experiment.data, data_dir, report.warn)
    if steps is None:
        per_epoch = source.steps_per_epoch(experiment.batch_size)
        steps = min(max(per_epoch, _FEWEST_STEPS), _MOST_STEPS)
    rates = sweep.rates(min_lr=min_lr, max_lr=max_lr, steps=steps)
    swept, classes = _sweep(config, source, rates, seeds, report)
    losses = np.stack([one.losses for one in swept])
    found = suggest(rates, losses, chance=math.log(classes))
    settings = {
        "experiment": experiment.name,
        "model": experiment.model,
        "optimizer": experiment.optimizer.model_dump(mode="json"),
        "batch_size": experiment.batch_size,
        "data": source.name,
        "data_fingerprint": source.fingerprint,
        "min_lr": min_lr,
        "max_lr": max_lr,
        "steps": steps,
        "seeds": seeds,
    }
    about = sweep_record.describe(found, [one.stopped_by for one in swept], settings)
    record = SweepRecord(rates, losses, about)
    sweep_record.write(out, record)
    return record


def _sweep(
    config: Config, source: DataSource, rates: sweep.Floats, seeds: int, report: Report
) -> tuple[list[Any], int]:
    """Return the sweep of each seed, and the number of classes of the data."""
    swept: dict[int, Any] = {}

    def work(seed: int, trainer: Any, stop: Any, _: Any) -> Any:
        from lrlab import training

        return training.sweep_seed(trainer, rates, seed, stop=stop)

    jobs = [
        pool.Job(config.experiment, source, functools.partial(work, seed)) for seed in range(seeds)
    ]
    try:
        with report.waiting("Loading TensorFlow and the data"):
            tensors = prepare([source])
        with report.waiting(f"Sweeping {len(rates)} steps with {seeds} seeds"):
            pool.carry_out(
                jobs,
                tensors,
                workers=pool.default_workers(seeds),
                on_progress=lambda _: None,
                on_done=swept.__setitem__,
            )
    except KeyboardInterrupt:
        raise Interrupted("interrupted; the sweep was not finished", None) from None
    for outcome in swept.values():
        if isinstance(outcome, pool.Failure):
            raise RuntimeError(f"the sweep failed: {outcome.error}\n{outcome.trace}")
    return [swept[seed] for seed in range(seeds)], tensors(source).classes
