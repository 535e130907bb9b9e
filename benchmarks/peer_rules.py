"""What other learning-rate finders would suggest from a sweep's losses, as they define it.

Each takes the rates of the whole sweep and the true batch losses of one seed, smooths and stops
as its library does, and returns its suggestion, None where it has none. The libraries' defaults
differ in range and steps; here all see the same sweep.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Rule = Callable[[Floats, Floats], float | None]


def corrected(losses: Floats) -> Floats:
    """Return the bias-corrected moving average of 0.98 that fastai and Lightning take."""
    average, smoothed = 0.0, []
    for step, loss in enumerate(losses):
        average = 0.98 * average + 0.02 * loss
        smoothed.append(average / (1 - 0.98 ** (step + 1)))
    return np.array(smoothed)


def uncorrected(losses: Floats) -> Floats:
    """Return pytorch-lr-finder's: a twentieth of the new loss, the rest of the value before."""
    smoothed = [losses[0]]
    for loss in losses[1:]:
        smoothed.append(0.05 * loss + 0.95 * smoothed[-1])
    return np.array(smoothed)


def until(smoothed: Floats, factor: float) -> Floats:
    """Return the losses up to and with the first that is above `factor` times the best so far.

    As in all three libraries NaN is not above anything, and does not end the sweep.
    """
    over = np.flatnonzero(smoothed > factor * np.fmin.accumulate(smoothed))
    return smoothed[: over[0] + 1] if over.size else smoothed


def fastai(rule: Callable[[Floats, Floats], float], lr: Floats, losses: Floats) -> float | None:
    """Apply a rule to what `Learner.lr_find` hands it: `[n // 10 : -5]`, up to the first NaN.

    References:
        https://docs.fast.ai/callback.schedule.html
    """
    smoothed = until(corrected(losses), 4)[len(lr) // 10 : -5]
    lr = lr[len(lr) // 10 :][: len(smoothed)]
    broken = np.flatnonzero(~np.isfinite(smoothed))
    if broken.size:
        smoothed, lr = smoothed[: broken[0]], lr[: broken[0]]
    return rule(lr, smoothed) if len(lr) > 16 else None


def valley(lr: Floats, losses: Floats) -> float:
    """Return the rate halfway into the middle third of the longest falling subsequence."""
    lengths = [1] * len(losses)
    for i in range(1, len(losses)):
        lengths[i] += max((lengths[j] for j in range(i) if losses[j] > losses[i]), default=0)
    end = int(np.argmax(lengths))
    third = lengths[end] / 3
    return float(lr[end - lengths[end] + int(third) + int(third / 2)])


def slide(lr: Floats, losses: Floats) -> float:
    """Return the left end of an interval of 15 steps, slid left while its ends differ in slope."""
    slope = np.gradient(losses)
    right = len(lr) - 1
    left = right - 15
    found = left
    while left >= 0 and abs(slope[right] - slope[left]) > 0.005:
        found = left
        left, right = left - 1, right - 1
    return float(lr[found])


def minimum(lr: Floats, losses: Floats) -> float:
    """Return a tenth of the rate of the lowest loss."""
    return float(lr[losses.argmin()]) / 10


def steep(lr: Floats, losses: Floats) -> float:
    """Return where the loss falls fastest over the logarithm of the rate."""
    return float(lr[(np.diff(losses) / np.diff(np.log(lr))).argmin()])


def lightning(lr: Floats, losses: Floats, *, over_lr: bool = True) -> float | None:
    """Return where the loss falls fastest over the rate itself, 10 steps and 1 left out.

    Until pull request 21055 of August 2025 it was: over the step.

    References:
        https://lightning.ai/docs/pytorch/stable/api/lightning.pytorch.tuner.tuning.Tuner.html
    """
    smoothed = until(corrected(losses), 4)[10:-1]
    lr = lr[10:][: len(smoothed)]
    finite = np.isfinite(smoothed)
    if finite.sum() < 2:
        return None
    smoothed, lr = smoothed[finite], lr[finite]
    slope = np.gradient(smoothed, lr) if over_lr else np.gradient(smoothed)
    return float(lr[slope.argmin()])


def pytorch_lr_finder(lr: Floats, losses: Floats) -> float | None:
    """Return where the loss falls fastest over the step, 10 steps and 5 left out.

    It does not look for NaN: then the first one counts as the steepest fall, as `argmin` has it.

    References:
        https://github.com/davidtvs/pytorch-lr-finder
    """
    smoothed = until(uncorrected(losses), 5)[10:-5]
    if len(smoothed) < 2:
        return None
    return float(lr[10:][np.gradient(smoothed).argmin()])


RULES: dict[str, Rule] = {
    "fastai valley (its default)": partial(fastai, valley),
    "fastai slide": partial(fastai, slide),
    "fastai minimum / 10": partial(fastai, minimum),
    "fastai steep": partial(fastai, steep),
    "Lightning": lightning,
    "Lightning before #21055": partial(lightning, over_lr=False),
    "pytorch-lr-finder": pytorch_lr_finder,
}
