"""The schedules that a user puts together."""

from lrlab.guide.entry import Entry, Name
from lrlab.guide.origins import PYTORCH

FORMULA = Entry(
    type="formula",
    formula="rate = expression  # of step, epoch, steps, epochs, progress and parameters",
    example="""\
# A parabola: stays high, then falls ever faster.
schedule:
  type: formula
  expression: lr0 * (1 - progress ** 2)
  parameters: {lr0: 0.01}
epochs: 10
""",
    origins=(PYTORCH,),
    names=(
        Name("Keras", "LearningRateScheduler", "a callback with a function of the whole epoch"),
        Name("PyTorch", "LambdaLR", "a factor of the rate, here the rate itself"),
        Name("fastai", "SchedPoly", "`start + (end - start) * progress ** power`"),
    ),
    traps=(
        "`epoch` is not rounded: write `floor(epoch)`, or `update: epoch`, for a staircase.",
        "It is the rate, where PyTorch's `LambdaLR` takes a factor of the rate.",
        "It is no Python: arithmetic, comparisons, `a if b else c` and the functions of the "
        "reference, nothing else.",
    ),
)

SEQUENCE = Entry(
    type="sequence",
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
