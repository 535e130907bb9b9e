"""Runs for the A/A study of `verdicts.py`: one schedule, many seeds, a small real data set.

    python benchmarks/same_schedule.py [--seeds 300]

It writes the final validation accuracies into `statistics_runs.json`, beside those of the six
configs, and takes about five minutes on two cores.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

from lrlab import config, experiment
from lrlab.reporter import Reporter
from lrlab.results import lock
from lrlab.tasks.sketches import sketches

RUNS = Path(__file__).with_name("statistics_runs.json")
IMAGES, TEST_IMAGES, EPOCHS = 4_000, 100, 2
SCHEDULE = "schedule: {type: one_cycle, max_lr: 0.02}\n"


def final_accuracies(seeds: int) -> list[float]:
    """Train the schedule with so many seeds; return what each ended with."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        x_train, y_train, x_test, y_test = sketches(IMAGES, TEST_IMAGES)
        data = there / "sketches.npz"
        np.savez(data, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
        path = there / "one_cycle.yaml"
        path.write_text(SCHEDULE)
        read = config.read([path], config.overrides([], data=str(data), epochs=EPOCHS))
        out = there / "results"
        with lock.hold(out, wait=False, command="A/A study", report=Reporter()):
            compared, _ = experiment.compare(read, out=out, seeds=seeds, report=Reporter())
    (one,) = compared.experiments
    return [value for value in one.final["val_accuracy"].values if value is not None]


def main() -> None:
    """Write the accuracies."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=300)
    runs = json.loads(RUNS.read_text()) if RUNS.exists() else {}
    runs["of"] = f"`one_cycle` on {IMAGES:,} sketches, {EPOCHS} epochs"
    runs["same schedule"] = final_accuracies(parser.parse_args().seeds)
    RUNS.write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
