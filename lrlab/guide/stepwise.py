"""The schedules that are constant between jumps."""

from lrlab.guide.entry import Entry, Name, Origin
from lrlab.guide.origins import GERON, PYTORCH

CONSTANT = Entry(
    type="constant",
    formula="rate = lr",
    example="""\
# The baseline: the rate that `lrlab find-lr` suggests, all the way.
schedule:
  type: constant
  lr: 0.005
epochs: 10
""",
    origins=(GERON,),
    names=(
        Name("Keras", "SGD(learning_rate=lr)", "a number in place of a schedule"),
        Name("optax", "constant_schedule"),
        Name("optax", "warmup_constant_schedule", "with `warmup`"),
        Name("transformers", "get_constant_schedule"),
        Name("transformers", "get_constant_schedule_with_warmup", "with `warmup`"),
        Name("fastai", "SchedNo"),
    ),
    traps=(
        "PyTorch's `ConstantLR` is another: `factor` times the rate at first, then the rate; "
        "here that is a `piecewise` with two values.",
        "Nothing anneals the noise of the last batches: compare the best epoch with the last one.",
    ),
)

PIECEWISE = Entry(
    type="piecewise",
    formula="k = sum(t >= b for b in boundaries)\nrate = values[k]",
    example="""\
# Constant, then lower in two steps.
schedule:
  type: piecewise
  values: [0.01, 0.003, 0.0005]
  boundaries: [50%, 80%]
epochs: 10
""",
    origins=(GERON,),
    names=(
        Name("Keras", "PiecewiseConstantDecay", "keeps the old value for one more step"),
        Name("PyTorch", "ConstantLR", "two values: `factor * lr`, after `total_iters` `lr`"),
    ),
    traps=(
        "At a boundary the new value holds, as in optax and PyTorch. Keras' "
        "`PiecewiseConstantDecay` keeps the old value for that one step.",
        "It takes the rates themselves. optax' `piecewise_constant_schedule` and PyTorch's "
        "`MultiStepLR` take factors: that is `multistep`.",
        "With a `warmup`, boundaries count from its end.",
    ),
)

STEP = Entry(
    type="step",
    formula="rate = initial_lr * factor**floor(t / every)",
    example="""\
# Falls to a third, three times.
schedule:
  type: step
  initial_lr: 0.01
  every: 30%
  factor: 0.33
epochs: 10
""",
    origins=(PYTORCH,),
    names=(
        Name("Keras", "ExponentialDecay(staircase=True)"),
        Name("PyTorch", "StepLR", "`step_size` is `every`, `gamma` is `factor`"),
        Name("optax", "exponential_decay(staircase=True)"),
        Name("timm", "StepLRScheduler", "`decay_t` is `every`, `decay_rate` is `factor`"),
    ),
    traps=(
        "PyTorch counts `step_size` in calls of `step()`, mostly epochs; `every` carries its unit.",
        "timm's `decay_rate` is 1 unless it is told otherwise, which never falls; `factor` is 0.1, "
        "as PyTorch's `gamma`.",
    ),
)

MULTISTEP = Entry(
    type="multistep",
    formula="k = sum(t >= b for b in boundaries)\nrate = initial_lr * factor**k",
    example="""\
# Falls to a fifth at the half and near the end.
schedule:
  type: multistep
  initial_lr: 0.01
  boundaries: [50%, 80%]
  factor: 0.2
epochs: 10
""",
    origins=(
        Origin(
            "He et al.",
            "Deep residual learning for image recognition",
            2015,
            "https://arxiv.org/abs/1512.03385",
        ),
    ),
    names=(
        Name("PyTorch", "MultiStepLR", "`milestones` are `boundaries`, `gamma` is `factor`"),
        Name("optax", "piecewise_constant_schedule", "equal factors at its boundaries"),
        Name("timm", "MultiStepLRScheduler", "falls one step earlier than its `decay_t`"),
    ),
    traps=(
        "timm's `MultiStepLRScheduler` falls at `decay_t - 1`: a boundary here is its `decay_t` "
        "less one.",
        "It falls at a boundary, not after it; with a `warmup`, boundaries count from its end.",
    ),
)
