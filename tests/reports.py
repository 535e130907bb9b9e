"""Results that were written, not trained, for tests of the report."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import samples

from lrlab import experiment, schedules
from lrlab.analysis import summaries
from lrlab.config import parse
from lrlab.finder import sweep
from lrlab.finder.suggestion import suggest
from lrlab.results import run_folder, sweep_record
from lrlab.results.comparison import Comparison
from lrlab.results.run import EpochResult, RunResult, Status
from lrlab.results.run_folder import RunData, RunOrigin
from lrlab.results.sweep_record import SweepRecord, SweepSettings
from lrlab.schedules import Length

STEPS_PER_EPOCH, EPOCHS, SEEDS = 700, 12, 3

SCHEDULES = {
    "steady": "{type: constant, lr: 0.02}",
    "wave": "{type: one_cycle, max_lr: 0.09}",
    "halved": "{type: performance, initial_lr: 0.04}",
    "lost": "{type: constant, lr: 5}",
}
# The wave falls behind after its first epoch and overtakes again at epoch 9.
SCORES = {
    "steady": np.linspace(0.70, 0.80, EPOCHS),
    "wave": np.array([0.72, 0.6, 0.6, 0.6, 0.62, 0.65, 0.7, 0.74, 0.79, 0.83, 0.86, 0.88]),
    "halved": np.linspace(0.5, 0.7, EPOCHS),
}


def rates(name: str, seed: int) -> np.ndarray:
    """The learning rates of a run; those of `halved` differ between seeds."""
    if name == "halved":
        return np.repeat(0.04 * 0.5 ** (np.arange(EPOCHS) > 3 + seed), STEPS_PER_EPOCH)
    schedule = parse(f"schedule: {SCHEDULES[name]}").experiment.schedule
    return schedules.rates(schedule, Length(STEPS_PER_EPOCH, EPOCHS))


def run(name: str, seed: int) -> RunResult:
    """A run; one of `lost` diverged in its second epoch."""
    lr = rates(name, seed).astype(np.float32)
    if name == "lost":
        lr = lr[: STEPS_PER_EPOCH + 10]
        epochs = (EpochResult(0, 5.0, 9.0, 0.1, 9.5, 0.1),)
        lost = RunResult(Status.DIVERGED, epochs, lr, np.full(len(lr), 9.0, np.float32))
        return replace(lost, diverged_at=len(lr) - 1, train_seconds=1.0)
    scores = SCORES[name] + 0.004 * (seed - 1)
    epochs = tuple(
        EpochResult(i, float(lr[(i + 1) * STEPS_PER_EPOCH - 1]), 1 - s, s - 0.01, 1.1 - s, s)
        for i, s in enumerate(scores)
    )
    loss = np.linspace(2, 0.3, len(lr), dtype=np.float32)
    return RunResult(Status.DONE, epochs, lr, loss, test_score=float(scores[-1]), train_seconds=9.0)


def written(out: Path, *, data: str = "Fashion-MNIST", names=tuple(SCHEDULES)) -> Comparison:
    """Write runs and their comparison into a results directory."""
    of_each = []
    for name in names:
        stated = samples.CONFIG | {"name": name, "epochs": EPOCHS}
        stated["schedule"] = parse(f"schedule: {SCHEDULES[name]}").experiment.schedule.model_dump(
            mode="json"
        )
        runs = {seed: run(name, seed) for seed in range(SEEDS)}
        folders = [f"runs/{name}-0123456789/seed-{seed}" for seed in runs]
        for folder, (seed, result) in zip(folders, runs.items(), strict=True):
            origin = RunOrigin(
                identity="0123456789", seed=seed, config=stated, steps_per_epoch=STEPS_PER_EPOCH,
                data=RunData(data, "f00d"), command="lrlab compare *.yaml",
                environment={"python": "3.11.7", "processor": "A <b>processor</b>", "cores": 2},
            )  # fmt: skip
            run_folder.write(out / folder, result, origin)
        of_each.append(
            summaries.summarise(
                stated, runs, data=data, steps_per_epoch=STEPS_PER_EPOCH, folders=folders
            )
        )
    made = summaries.compare(of_each)
    experiment.save(made, out)
    return made


def swept(loss: str | None = None) -> SweepRecord:
    """A sweep whose loss falls and rises again."""
    lr = sweep.rates(min_lr=1e-6, max_lr=10.0, steps=300)
    x = np.log10(lr)
    valley = 2.3 - 1.6 / (1 + np.exp(-4 * (x + 3))) + np.exp(6 * (x + 0.4))
    losses = np.minimum(valley + 0.02 * np.sin(np.arange(300) * np.array([[1.7], [2.3]])), 50)
    settings = SweepSettings(
        model="mlp", optimizer={"type": "sgd"}, batch_size=32, data="Fashion-MNIST",
        min_lr=1e-6, max_lr=10.0, steps=300, seeds=2, loss=loss,
    )  # fmt: skip
    found = suggest(lr, losses)
    stopped = [sweep.StoppedBy.DIVERGED] * 2
    return SweepRecord(lr, losses, sweep_record.summarise(found, stopped, settings))


def shown(out: Path) -> None:
    """Make a results directory with a comparison, a sweep of `find-lr`, and the report of both."""
    made = written(out)
    sweep_record.write(out / "find-lr", swept())
    experiment.present(out, made, {})


def many(out: Path, experiments: int, seeds: int) -> Comparison:
    """Write many runs, each with the rates of a one-cycle at a peak of its own."""
    rng = np.random.default_rng(0)
    base, of_each = run("wave", 0), []
    for number in range(experiments):
        name, factor = f"wave-{number:03}", np.float32(1 + number / experiments)
        runs = {}
        for seed in range(seeds):
            shift = rng.normal(-0.1 * number / experiments, 0.004)
            epochs = tuple(replace(e, val_score=e.val_score + shift) for e in base.epochs)
            runs[seed] = replace(base, lr=base.lr * factor, epochs=epochs)
        folders = [f"runs/{name}-0123456789/seed-{seed}" for seed in runs]
        for folder, result in zip(folders, runs.values(), strict=True):
            run_folder.write(out / folder, result, RunOrigin())
        stated = samples.CONFIG | {"name": name, "epochs": EPOCHS}
        of_each.append(
            summaries.summarise(
                stated, runs, data="data", steps_per_epoch=STEPS_PER_EPOCH, folders=folders
            )
        )
    made = summaries.compare(of_each)
    experiment.save(made, out)
    return made
