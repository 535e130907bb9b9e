"""How near `lrlab tune` comes to the best rate, and how honest its scores are, by many whole runs.

    python benchmarks/tuning.py [--write FILE]

Prints the two tables of `tuning.md`; `--write` keeps the numbers. The task is small, so that a run
takes a quarter of a second and the truth can be measured: 1,500 training and 1,000 validation
images of `sketches`, the reference `mlp`, the six schedules of `configs/` over their 10 epochs.

1. The truth is a grid with ratio 1.5 and 5 seeds that nothing else uses. Regret is how much lower
   the truth is at the rate that `tune` chose, on the line between the two nearest rates of the
   grid, than at the best rate of the grid.
2. Twice 20 repetitions of `tune` with other seeds, each followed by 20 further seeds at the rate
   that it chose. The score that it reports is honest if it is neither higher nor lower on average.
"""

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np

from lrlab import config
from lrlab.config import Config
from lrlab.experiment import searching
from lrlab.experiment.choosing import sweep_of
from lrlab.experiment.executors.threads import Threads, default_workers
from lrlab.experiment.planning import Run
from lrlab.experiment.preparation import prepare
from lrlab.experiment.searching import Searched, Seeds, Start
from lrlab.experiment.tuning import Effort
from lrlab.fields import purpose_of
from lrlab.metric import ACCURACY
from lrlab.reporter import Reporter
from lrlab.results.run import RunResult, Status
from lrlab.results.tuning_record import TunedSchedule
from lrlab.schedules import Schedule
from lrlab.tasks import data, sketches
from lrlab.tasks.setup import Setup
from lrlab.tasks.wanted import Wanted
from lrlab.training.jobs import RunJob

ROOT = Path(__file__).parents[1]
TRAIN, VALIDATION = 1_500, 1_000
RATIO, TRUTH_SEEDS = 1.5, range(100, 105)
LOWEST, HIGHEST = 2e-3, 0.6
REPEATED, REPETITIONS, FURTHER, AGAIN = "exponential", 20, 20, 27
SETS = 2
METRIC = ACCURACY.on("val")
EFFORT = Effort()

Json = dict[str, Any]


class Laboratory:
    """Trains runs of the small task; nothing is kept on the disk but the sweep.

    Args:
        folder: A folder for the data and the sweep.
    """

    def __init__(self, folder: Path) -> None:
        x, y, x_test, y_test = sketches.sketches(TRAIN + VALIDATION, 100)
        path = folder / "sketches.npz"
        np.savez(path, x_train=x, y_train=y, x_test=x_test, y_test=y_test)
        self.folder = folder
        wanted = Wanted.of(str(path), None, VALIDATION)
        self.source = data.resolve(wanted, None, print)
        given = config.overrides([], data=str(path), validation=VALIDATION)
        self.configs = config.read(sorted((ROOT / "configs").glob("*.yaml")), given)
        self.engines = prepare([self.source])
        record = sweep_of(
            self.configs[0], self.source, folder / "sweep", None, Reporter(), Threads,
            lambda _: self.engines,
        )  # fmt: skip
        summary = record.summary
        self.suggested = {"steady_lr": summary.steady_lr, "max_lr": summary.max_lr}
        self.runs = 0

    def setup(self, of: Config) -> Setup:
        """Return what a config trains."""
        return of.experiment.setup(self.source)

    def train(self, jobs: Sequence[RunJob]) -> list[RunResult]:
        """Return what runs give."""
        self.runs += len(jobs)
        executor = Threads(self.engines, default_workers(len(jobs)))
        return list(executor.results(jobs)) if jobs else []

    def score(self, of: Config, schedules: Sequence[Schedule], seeds: Sequence[int]) -> list[Any]:
        """Return the validation accuracy of each schedule with each seed, NaN where it broke."""
        setup, epochs = self.setup(of), of.experiment.epochs
        jobs = [RunJob(setup, schedule, epochs, seed) for schedule in schedules for seed in seeds]
        found = [
            result.epochs[-1].val_score if result.status is Status.DONE else np.nan
            for result in self.train(jobs)
        ]
        return np.array(found).reshape(len(schedules), len(seeds)).tolist()

    def search(self, of: Config, seeds: Seeds) -> Searched:
        """Return a search as `tune` begins it."""
        suggested = self.suggested[purpose_of(of.experiment.schedule)]
        search = EFFORT.search(METRIC)
        return Searched(Start(of, self.source, suggested), search, seeds, METRIC, self.folder)

    def carry(self, runs: Sequence[Run]) -> Mapping[Run, RunResult]:
        """Carry out the runs of searches."""
        jobs = [
            RunJob(run.setup, run.experiment.schedule, run.experiment.epochs, run.seed)
            for run in runs
        ]
        return dict(zip(runs, self.train(jobs), strict=True))


def truth(lab: Laboratory, of: Config) -> Json:
    """Return the rates of the grid and the scores there."""
    count = int(np.log(HIGHEST / LOWEST) / np.log(RATIO)) + 1
    lrs = LOWEST * RATIO ** np.arange(count)
    schedule = of.experiment.schedule
    peak = schedule.peak(lab.setup(of).length(of.experiment.epochs))
    scores = lab.score(of, [schedule.times(lr / peak) for lr in lrs], list(TRUTH_SEEDS))
    return {"lr": lrs.tolist(), "scores": scores}


def regret(of: Json, lr: float) -> tuple[float, float, float]:
    """Return the regret at a rate, and rate and score of the best one of the grid."""
    lrs, means = np.array(of["lr"]), np.array(of["scores"]).mean(axis=1)
    best = int(np.nanargmax(means))
    there = np.isfinite(means)
    at = float(np.interp(np.log(lr), np.log(lrs[there]), means[there]))
    return float(means[best]) - at, float(lrs[best]), float(means[best])


def against_the_truth(lab: Laboratory) -> list[Json]:
    """Return for each schedule what `tune` found, and the truth."""
    searches = [lab.search(each, Seeds(count=EFFORT.seeds)) for each in lab.configs]
    searching.carry_out(searches, lab.carry, Reporter())
    found = []
    for search, of in zip(searches, lab.configs, strict=True):
        tuned, grid = search.tuned(), truth(lab, of)
        assert tuned.best is not None
        lost, best_lr, best = regret(grid, tuned.best.lr)
        of_finder, _, _ = regret(grid, tuned.suggested_lr or np.nan)
        found.append(_row(tuned) | {
            "name": tuned.name, "best_lr": best_lr, "best": best, "regret": lost,
            "regret_of_find_lr": of_finder, "truth": grid,
        })  # fmt: skip
        print(f"{tuned.name}: regret {100 * lost:.2f}", flush=True)
    return found


def repeated(lab: Laboratory, numbers: Sequence[int]) -> list[Json]:
    """Return what each of some repetitions reports, saw, and gets with further seeds."""
    (of,) = [each for each in lab.configs if each.experiment.name == REPEATED]
    searches = []
    for number in numbers:
        named = of.experiment.model_copy(update={"name": f"{REPEATED}-{number}"})
        seeds = Seeds(10_000 + 100 * number, 20_000 + 100 * number, EFFORT.seeds)
        searches.append(lab.search(replace(of, experiment=named), seeds))
    searching.carry_out(searches, lab.carry, Reporter())
    found = []
    for number, search in zip(numbers, searches, strict=True):
        tuned = search.tuned()
        assert tuned.best is not None
        schedule = of.experiment.schedule.unscaled.times(tuned.best.scale)
        first = 30_000 + 100 * number
        (further,) = lab.score(of, [schedule], list(range(first, first + FURTHER)))
        (again,) = lab.score(of, [schedule], list(range(first + 50, first + 50 + AGAIN)))
        found.append(_row(tuned) | {"further": further, "again": again})
        print(f"repetition {number}: {tuned.best.lr:.3g}", flush=True)
    return found


def _row(tuned: TunedSchedule) -> Json:
    assert tuned.best is not None
    return {
        "lr": tuned.best.lr, "suggested_lr": tuned.suggested_lr, "runs": tuned.used,
        "seen": tuned.best.seen, "fresh": list(tuned.best.fresh.values),
    }  # fmt: skip


def tables(found: Json) -> str:
    """Return the two tables as Markdown."""
    lines = [
        "| schedule | tuned rate | runs | best rate of the grid | its accuracy | regret, points | "
        "of the rate of `find-lr` |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for row in found["truth"]:
        lines.append(
            f"| {row['name']} | {row['lr']:.3g} | {row['runs']} | {row['best_lr']:.3g} | "
            f"{row['best']:.4f} | {100 * row['regret']:.2f} | "
            f"{100 * row['regret_of_find_lr']:.2f} |"
        )
    worst = max(row["regret"] for row in found["truth"])
    of_rates = [np.array(row["truth"]["scores"]) for row in found["truth"]]
    spreads = np.concatenate(
        [of[np.isfinite(of).all(axis=1)].std(axis=1, ddof=1) for of in of_rates]
    )
    error = 100 * float(np.median(spreads)) / len(TRUTH_SEEDS) ** 0.5
    lines += ["", f"Worst regret: {100 * worst:.2f} points; standard error of a mean of the grid: "
              f"{error:.2f}.", ""]  # fmt: skip
    lines += ["| less the score with 20 further seeds | repetitions | mean | standard error "
              "| lowest | highest |",
              "|---|---|---:|---:|---:|---:|"]  # fmt: skip
    whole = found["repeated"]
    parts = [whole[first : first + REPETITIONS] for first in range(0, len(whole), REPETITIONS)]
    for title, values in (
        ("the score that `tune` reports", lambda row: row["fresh"]),
        (f"that of {AGAIN} other fresh seeds in place of 3", lambda row: row["again"]),
        ("the best seen in the search", lambda row: [row["seen"]]),
    ):
        for rows, which in zip([*parts, whole], ["first 20", "second 20", "all"], strict=True):
            lines.append(_gaps(title, which, [_gap(values(row), row) for row in rows]))
    return "\n".join(lines)


def _gap(values: Sequence[float], row: Json) -> float:
    return 100 * (fmean(values) - fmean(row["further"]))


def _gaps(title: str, which: str, gaps: Sequence[float]) -> str:
    error = stdev(gaps) / len(gaps) ** 0.5
    numbers = f"{fmean(gaps):+.3f} | {error:.3f} | {min(gaps):+.2f} | {max(gaps):+.2f}"
    return f"| {title} | {which} | {numbers} |"


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, help="file for the numbers")
    parser.add_argument("--read", type=Path, help="print the tables of such a file")
    asked = parser.parse_args()
    if asked.read:
        found = json.loads(asked.read.read_text(encoding="utf-8"))
    else:
        with tempfile.TemporaryDirectory() as folder:
            lab = Laboratory(Path(folder))
            found: Json = {
                "repeated": repeated(lab, range(SETS * REPETITIONS)),
                "truth": against_the_truth(lab),
            }
            found["runs"] = lab.runs
        if asked.write:
            asked.write.write_text(json.dumps(found) + "\n", encoding="utf-8")
    print(tables(found))
    print(f"\n{found['runs']:,} runs.")


if __name__ == "__main__":
    main()
