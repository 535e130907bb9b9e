"""`sequence`: one schedule after another."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from lrlab.schedules import doubts
from lrlab.schedules.doubts import Doubt
from lrlab.schedules.durations import Duration
from lrlab.schedules.entry import PYTORCH, Entry, Name
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import Piece
from lrlab.schedules.schedule import OpenLoop, Schedule, whole_steps

if TYPE_CHECKING:  # The registry puts the union of all open loops in its place.
    AnyOpenLoop = OpenLoop

MOST_PHASES = 10_000
"""Phases of a sequence, those of all its cycles together."""


class Sequence(Schedule):
    """One schedule after another."""

    type: Literal["sequence"]
    phases: "tuple[AnyOpenLoop, ...]" = Field(
        strict=False,
        description="schedules, each with `for`, how long it lasts; the last may last the `rest`; "
        "durations in a phase are relative to it",
    )
    cycles: Annotated[int, Field(gt=0, le=1000)] = Field(
        1, description="how often the phases come; `%` and `rest` are then of one cycle"
    )

    @field_validator("phases")
    @classmethod
    def _check_phases(cls, phases: tuple[OpenLoop, ...]) -> tuple[OpenLoop, ...]:
        if not 1 <= len(phases) <= 100:
            raise ValueError(f"must hold 1 to 100 phases, got {len(phases)}")
        for index, phase in enumerate(phases):
            if index < len(phases) - 1 and phase.for_ in (None, "rest"):
                raise ValueError(
                    f"phase {index} needs `for`, how long it lasts; only the last may be the rest"
                )
            if phase.cycles_momentum:
                raise ValueError(
                    f"phase {index} cycles the momentum; only a {phase.type} that is the whole "
                    "schedule can"
                )
        return phases

    @field_validator("cycles")
    @classmethod
    def _check_cycles(cls, cycles: int, info: ValidationInfo) -> int:
        phases = len(info.data.get("phases", ()))
        if phases * cycles > MOST_PHASES:
            raise ValueError(
                f"must be at most {MOST_PHASES // phases:,} with {phases} phases, got {cycles}"
            )
        return cycles

    def own_pieces(self, length: Length, start: int, end: float) -> Iterator[Piece]:
        """Yield the pieces of its phases, cycle after cycle; the last phase holds at the end."""
        whole = length.steps
        for cycle in range(self.cycles):
            steps = whole * (cycle + 1) // self.cycles - whole * cycle // self.cycles
            cycle_end = start + steps
            within = Length(length.steps_per_epoch, _epochs(steps, length))
            for phase in self.phases:
                if isinstance(phase.for_, Duration):
                    steps = whole_steps(phase.for_.in_steps(within))
                else:
                    steps = max(cycle_end - start, 1)
                lasts = Length(length.steps_per_epoch, _epochs(steps, length))
                yield from phase.pieces(lasts, start, start + steps)
                start += steps

    def past_the_end(self, length: Length) -> Iterator[Doubt]:
        """Yield also the phases that are never reached."""
        yield from super().past_the_end(length)
        left, warmup = self.after_warmup(length)
        at = float(warmup)
        for index, phase in enumerate(self.phases if self.cycles == 1 else ()):
            if round(at) >= length.steps:
                late = f"begins at step {round(at):,}, {doubts.past_the_end(length)}"
                yield ("phases", index), late
            at += phase.for_.in_steps(left) if isinstance(phase.for_, Duration) else math.inf

    entry: ClassVar = Entry(
        family="put together",
        formula="rate = the rate of the phase that holds, t counted from where it begins",
        example="""\
# A line up, a plateau, and half a cosine down.
schedule:
  type: sequence
  phases:
    - {for: 1 epoch, type: linear, initial_lr: 0.001, end_lr: 0.015}
    - {for: 30%, type: constant, lr: 0.015}
    - {for: rest, type: cosine, initial_lr: 0.015}
epochs: 10
""",
        origins=(PYTORCH,),
        names=(
            Name("PyTorch", "SequentialLR", "`milestones` are the ends of the phases"),
            Name("optax", "join_schedules", "`boundaries` are the ends of the phases"),
            Name("optax", "sgdr_schedule", "phases of `cosine`, each with its `warmup`"),
            Name("fastai", "combine_scheds", "`pcts` are the lengths, as shares"),
            Name("fastai", "combined_cos", "two phases of `cosine`"),
        ),
        traps=(
            "Durations in a phase are relative to it: `50%` in a phase is half of the phase.",
            "`for` is a length, where PyTorch and optax take the steps at which phases end.",
            "With `cycles`, `%` and `rest` are of one cycle.",
            "PyTorch's `ChainedScheduler` multiplies schedules instead; a `formula` can do that.",
        ),
    )


def _epochs(steps: int, length: Length) -> Fraction:
    return Fraction(max(steps, 1), length.steps_per_epoch)
