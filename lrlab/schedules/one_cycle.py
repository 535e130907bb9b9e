"""`one_cycle`: the 1cycle policy, of rate and momentum, as the book, fastai and PyTorch have it."""

from typing import ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from lrlab.fields import Beta, Fraction, Model, PeakRate, PositiveRate, Rate
from lrlab.schedules.durations import WHOLE, DurationField
from lrlab.schedules.entry import GERON, Entry, Name, Origin
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import Call
from lrlab.schedules.schedule import OpenLoop


def one_cycle(
    step: npt.ArrayLike,
    *,
    max_lr: float,
    over: float,
    start_lr: float | None = None,
    end_lr: float | None = None,
    variant: str = "book",
    pct_start: float | None = None,
    shape: str | None = None,
    three_phase: bool = False,
) -> npt.NDArray[np.float64]:
    """Return the rates of 1cycle: up to the peak, down again, then far below the start.

    `book`: with `last = over // 10 + 1` and `half = (over - last) // 2` steps, linear between
    `start_lr` at 0, `max_lr` at `half`, `start_lr` at `2 * half` and `end_lr` at `over`.
    `fastai`: a cosine from `start_lr` to `max_lr` at `pct_start * over`, another to `end_lr` at
    `over`. `pytorch`: the same with the peak at `pct_start * over - 1` and the end at `over - 1`.

    Example:
        >>> one_cycle([0, 4, 8, 10], max_lr=0.5, over=10)
        array([5.e-02, 5.e-01, 5.e-02, 5.e-05])
    """
    start = max_lr / (10 if variant == "book" else 25) if start_lr is None else start_lr
    if end_lr is not None:
        end = end_lr
    elif variant == "fastai":
        end = max_lr / 1e5
    else:
        end = start / (1000 if variant == "book" else 1e4)
    knots = corners(over, variant, pct_start, three_phase)
    if not knots:  # The book's cycle, too short for a peak.
        return np.interp(np.array(step, np.float64), [0.0, over], [start, end])
    values = [start, max_lr, start, end] if len(knots) == 4 else [start, max_lr, end]
    return between(step, knots, values, shape or ("linear" if variant == "book" else "cosine"))


def one_cycle_momentum(
    step: npt.ArrayLike,
    *,
    low: float,
    high: float,
    over: float,
    variant: str = "book",
    pct_start: float | None = None,
    shape: str | None = None,
    three_phase: bool = False,
) -> npt.NDArray[np.float64]:
    """Return the momentum of 1cycle: `high`, down to `low` where the rate peaks, and `high` again.

    Example:
        >>> one_cycle_momentum([0, 4, 8, 10], low=0.85, high=0.95, over=10)
        array([0.95, 0.85, 0.95, 0.95])
    """
    knots = corners(over, variant, pct_start, three_phase)
    if not knots:
        return np.full(np.shape(step), high, np.float64)
    values = [high, low, high, high] if len(knots) == 4 else [high, low, high]
    return between(step, knots, values, shape or ("linear" if variant == "book" else "cosine"))


def corners(over: float, variant: str, pct_start: float | None, three_phase: bool) -> list[float]:
    """Return the steps between which the curve runs, none where the book's cycle is too short.

    Where there are four, it is back at its start at the third.
    """
    if variant == "book":
        half = (over - (over // 10 + 1)) // 2
        return [] if half < 1 else [0.0, half, 2 * half, over]
    share = pct_start if pct_start is not None else 0.25 if variant == "fastai" else 0.3
    rise = share * over
    if variant == "fastai":
        return [0.0, rise, over]
    return [0.0, rise - 1, 2 * rise - 2, over - 1] if three_phase else [0.0, rise - 1, over - 1]


def between(
    step: npt.ArrayLike, knots: list[float], values: list[float], shape: str
) -> npt.NDArray[np.float64]:
    """Return the curve through `values` at `knots`; PyTorch's may lie before step 0."""
    at = np.array(step, np.float64)
    inner = np.searchsorted(np.asarray(knots[1:-1]), at, side="left")
    edges, heights = np.asarray(knots, np.float64), np.asarray(values, np.float64)
    start, end = edges[inner], edges[inner + 1]
    length = np.where(end > start, end - start, 1.0)
    f = np.clip(np.where(end > start, (at - start) / length, 1.0), 0.0, 1.0)
    if shape == "cosine":
        f = (1.0 - np.cos(np.pi * f)) / 2.0
    return np.asarray((1.0 - f) * heights[inner] + f * heights[inner + 1])


class MomentumCycle(Model):
    """Momentum that cycles inversely to the rate; in the Adam family `beta_1`."""

    low: Beta = Field(0.85, description="the momentum at the peak; default as fastai and PyTorch")
    high: Beta = Field(
        0.95, description="the momentum at start and end; default as fastai and PyTorch"
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.require_order("low", "high")
        return self


class OneCycle(OpenLoop):
    """Up to the peak, back down, then far below."""

    formula: ClassVar = staticmethod(one_cycle)
    helpers: ClassVar = (corners, between)

    type: Literal["one_cycle"]
    max_lr: PeakRate = Field(description="the peak, from `lrlab find-lr`")
    start_lr: PositiveRate | None = Field(
        None, description="the first rate; `max_lr / 10`, for fastai and PyTorch `max_lr / 25`"
    )
    end_lr: Rate | None = Field(
        None,
        description="the rate at the end; `start_lr / 1000`, for fastai `max_lr / 1e5`, for "
        "PyTorch `start_lr / 1e4`",
    )
    over: DurationField = Field(WHOLE, description="how long the cycle takes")
    variant: Literal["book", "fastai", "pytorch"] = Field(
        "book", description="whose definition of 1cycle it is"
    )
    pct_start: Fraction | None = Field(
        None,
        description="the share of the cycle at which the peak is; fastai's is 0.25, PyTorch's 0.3",
    )
    shape: Literal["linear", "cosine"] | None = Field(
        None, description="how it rises and falls; fastai's and PyTorch's is cosine"
    )
    three_phase: bool = Field(
        False, description="PyTorch only: back to `start_lr` first, then down to `end_lr`"
    )
    momentum: MomentumCycle | None = Field(
        None, description="momentum that cycles inversely to the rate"
    )

    @property
    def cycles_momentum(self) -> bool:
        """Whether it moves the momentum as well as the rate."""
        return self.momentum is not None

    def momentum_call(self, length: Length) -> Call | None:
        """Return the formula of its momentum, None if it does not cycle it."""
        if self.momentum is None:
            return None
        shared = {k: v for k, v in self.arguments(length).items() if not k.endswith("_lr")}
        cycled = {"low": self.momentum.low, "high": self.momentum.high}
        return Call(one_cycle_momentum, cycled | shared, self.helpers)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start_lr is not None:
            self.require_order("start_lr", "max_lr")
        if self.variant == "book" and self.pct_start is not None:
            raise ValueError("pct_start is for fastai and pytorch; the book's is the middle")
        if self.variant == "book" and self.shape == "cosine":
            raise ValueError("shape must be linear in the book's variant, got `cosine`")
        if self.three_phase and self.variant != "pytorch":
            raise ValueError(f"three_phase is only for variant pytorch, got `{self.variant}`")
        if self.three_phase and self.pct_start is not None and self.pct_start > 0.5:
            raise ValueError(f"pct_start must be at most 0.5 here, got {self.pct_start}")
        return self

    entry: ClassVar = Entry(
        family="up and down",
        formula="start_lr = max_lr / 10  # where it is not given, of the variant `book`\n"
        "end_lr = start_lr / 1000  # where it is not given\n"
        "last = over // 10 + 1\n"
        "half = (over - last) // 2\n"
        "at = [0, half, 2 * half, over]\n"
        "rate = interp(t, at, [start_lr, max_lr, start_lr, end_lr])",
        example="""\
# Up to the peak, back down, far below. `max_lr: auto` asks a sweep for it.
schedule:
  type: one_cycle
  max_lr: 0.02
epochs: 10
""",
        origins=(
            Origin(
                "Smith",
                "A disciplined approach to neural network hyper-parameters",
                2018,
                "https://arxiv.org/abs/1803.09820",
            ),
            GERON,
        ),
        names=(
            Name("PyTorch", "OneCycleLR", "with `variant: pytorch`"),
            Name(
                "optax",
                "cosine_onecycle_schedule",
                "with `variant: fastai`, but its peak is rounded down to a whole step",
            ),
            Name(
                "optax",
                "linear_onecycle_schedule",
                "three lines with other corners; a `sequence` of `linear` has them",
            ),
            Name("fastai", "fit_one_cycle", "with `variant: fastai`"),
            Name("papers", "1cycle"),
        ),
        traps=(
            "Several curves are called 1cycle: the book's is linear with the peak in the middle, "
            "those of fastai and PyTorch are cosines with the peak at 25% and 30%.",
            "The floors differ: `start_lr / 1000` in the book, `max_lr / 1e5` in fastai, "
            "`start_lr / 1e4` in PyTorch.",
            "PyTorch's peak is at step `0.3 * steps - 1` and it cycles the momentum unless told "
            "not to; here `momentum: {}` does.",
            "PyTorch's `OneCycleLR` fails when it is stepped past its end; here the last rate "
            "holds.",
        ),
    )
