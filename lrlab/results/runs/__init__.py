"""The run directory: identity of a run, atomic write, checked read.

    OUT/runs/<experiment>-<identity>/seed-<n>/{run.json, epochs.csv, steps.npz[, weights.npz]}

Times stand in `run.json` alone; the other files are reproducible byte for byte.
"""

from lrlab.results.runs.reading import ENVIRONMENT, read
from lrlab.results.runs.result import (
    FILES,
    FORMAT,
    WEIGHTS,
    EpochResult,
    Floats,
    RunResult,
    Status,
    folder,
    identity,
)
from lrlab.results.runs.writing import write

__all__ = [
    "ENVIRONMENT",
    "FILES",
    "FORMAT",
    "WEIGHTS",
    "EpochResult",
    "Floats",
    "RunResult",
    "Status",
    "folder",
    "identity",
    "read",
    "write",
]
