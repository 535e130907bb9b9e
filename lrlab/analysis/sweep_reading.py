"""A sweep as its advice reads it: the curve of all seeds, of each seed, knee and edge."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrlab.finder import landmarks
from lrlab.results.sweep_record import SweepRecord

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Reading:
    """A sweep as the advice reads it, in the unit of the loss.

    Args:
        curve: The curve that all seeds share, shape (steps,).
        seeds: The curve of each seed alone, shape (seeds, steps).
        knee: Rate at which nearly all of the fall is done, None without advice.
        edge: Rate at which the loss has risen again, None without advice.
        last: The last step that was recorded.
    """

    curve: Floats
    seeds: Floats
    knee: float | None
    edge: float | None
    last: int


def reading(record: SweepRecord) -> Reading | None:
    """Return how the advice reads a sweep; None where no seed has a loss."""
    recorded = np.flatnonzero(np.isfinite(record.losses).any(axis=0))
    usable = record.losses[np.isfinite(record.losses).any(axis=1)]
    if not len(recorded):
        return None
    x, losses = np.log(record.lr), landmarks.whole(usable)
    curve = landmarks.shared_curve(x, losses).loss
    seeds = np.stack([landmarks.shared_curve(x, one[np.newaxis]).loss for one in losses])
    knee = edge = None
    if record.summary.steady_lr is not None:
        found = landmarks.landmarks(x, losses)
        knee, edge = math.exp(found.knee), math.exp(found.edge)
    return Reading(curve, seeds, knee, edge, int(recorded[-1]))
