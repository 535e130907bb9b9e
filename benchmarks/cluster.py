"""What `--cluster local` costs beside threads: the same runs by both, one after the other.

    python benchmarks/cluster.py [--pairs 2] [--epochs 10] [--seeds 3]

The runs are those of `configs/*.yaml`. Starting Ray, and TensorFlow in its workers, is timed apart.
On a machine that others use, go by the ratios of neighbours.
"""

import sys

sys.path.pop(0)  # Here and in workers `statistics` is Python's, and not the benchmark.

import argparse
import tempfile
import time
from pathlib import Path

from lrlab import config, experiment
from lrlab.experiment.executors.cluster import connected
from lrlab.experiment.executors.threads import Threads
from lrlab.reporter import Reporter

CONFIGS = sorted((Path(__file__).parents[1] / "configs").glob("*.yaml"))


def main() -> None:
    """Time pairs and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pairs", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    began = time.perf_counter()
    with connected("local", Reporter()) as cluster, tempfile.TemporaryDirectory() as made:
        print(f"Ray started in {time.perf_counter() - began:.1f} s")
        for name, executor in (("threads", Threads), ("cluster", cluster)):
            seconds = timed(Path(made) / f"first-{name}", executor, 1, 1)
            print(f"{name}: {seconds:.1f} s for the first {len(CONFIGS)} runs of an epoch")
        for pair in range(arguments.pairs):
            seconds = {
                name: timed(
                    Path(made) / f"{pair}-{name}", executor, arguments.epochs, arguments.seeds
                )
                for name, executor in (("threads", Threads), ("cluster", cluster))
            }
            ratio = seconds["cluster"] / seconds["threads"]
            told = ", ".join(f"{name} {value:.1f} s" for name, value in seconds.items())
            print(f"{told}: ratio {ratio:.3f}", flush=True)


def timed(out: Path, executor, epochs: int, seeds: int) -> float:
    """Return how long a comparison takes."""
    read = config.read(CONFIGS, config.overrides([], epochs=epochs))
    began = time.perf_counter()
    experiment.compare(read, out=out, seeds=seeds, report=Reporter(), executor=executor)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
