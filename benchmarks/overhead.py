"""What a comparison costs beyond its training: 5 experiments x 2 seeds x 2 epochs.

    python benchmarks/overhead.py [--repeats 3] [--data sketches]

The command runs as a user runs it, in a process of its own. Overhead is its wall time less the
time of all runs divided by the number of workers: start-up, importing TensorFlow, reading the
data, compiling, writing, drawing. Then the same command again, which trains nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CONFIGS = Path(__file__).parent.parent / "configs"
EXPERIMENTS = ("constant", "power", "exponential", "piecewise", "one_cycle")
WORKERS = 2


def main() -> None:
    """Time the command and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--data", default="auto")
    arguments = parser.parse_args()
    rows = []
    for _ in range(arguments.repeats):
        with tempfile.TemporaryDirectory() as out:
            wall = timed(arguments.data, out)
            comparison = json.loads((Path(out) / "comparison.json").read_text())
            seconds = [e["train_seconds"]["values"] for e in comparison["experiments"]]
            training = sum(map(sum, seconds)) / WORKERS
            rows.append((wall, training, wall - training, timed(arguments.data, out)))
    titles = ("wall", "training", "overhead", "the same command again")
    for title, values in zip(titles, zip(*rows, strict=True), strict=True):
        print(f"{title}: {np.median(values):.1f} s ({min(values):.1f} to {max(values):.1f})")


def timed(data: str, out: str) -> float:
    """Return the seconds that the command takes."""
    files = [str(CONFIGS / f"{name}.yaml") for name in EXPERIMENTS]
    options = ["--seeds", "2", "--epochs", "2", "--workers", str(WORKERS), "--data", data]
    began = time.perf_counter()
    command = [sys.executable, "-m", "lrlab", "compare", *files, *options, "--out", out]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
