"""The schedules that decay without an end."""

from lrlab.guide.entry import Entry, Name, Origin
from lrlab.guide.origins import GERON, KERAS

POWER = Entry(
    type="power",
    formula="rate = initial_lr / (1 + t / s)**c",
    example="""\
# Falls fast, then ever more slowly: a half in 2 epochs, a sixth in the end.
schedule:
  type: power
  initial_lr: 0.01
  s: 2 epochs
epochs: 10
""",
    origins=(GERON,),
    names=(
        Name("Keras", "InverseTimeDecay", "with `c: 1`; `s` is `decay_steps / decay_rate`"),
        Name("Keras", "SGD(decay=d)", "of TensorFlow before 2.11, with `s` of `1 / d` steps"),
    ),
    traps=(
        "It has no end: how far it falls depends on the length of the run.",
        "Keras' `InverseTimeDecay` with `staircase=True` moves every `decay_steps` only; with an "
        "epoch as `decay_steps` that is `update: epoch`.",
    ),
)

EXPONENTIAL = Entry(
    type="exponential",
    formula="rate = initial_lr * factor**(t / s)",
    example="""\
# Falls evenly on a logarithmic scale, to a hundredth at the end.
schedule:
  type: exponential
  initial_lr: 0.01
  s: 5 epochs
epochs: 10
""",
    origins=(GERON, KERAS),
    names=(
        Name("Keras", "ExponentialDecay", "`decay_steps` is `s`, `decay_rate` is `factor`"),
        Name("PyTorch", "ExponentialLR", "with `s` of one step; `gamma` is `factor`"),
        Name("optax", "exponential_decay", "`transition_steps` is `s`"),
        Name("optax", "warmup_exponential_decay_schedule", "with `warmup`"),
        Name("fastai", "SchedExp", "`factor` is `end / start`, `s: 100%`"),
    ),
    traps=(
        "PyTorch's `gamma` is the factor of one call of `step()`, mostly an epoch; `factor` is "
        "that of the length `s`.",
        "`staircase=True` of Keras and optax is `step` here.",
        "It has no floor, where optax takes `end_value`.",
    ),
)

INVERSE_SQRT = Entry(
    type="inverse_sqrt",
    formula="rate = max_lr * min(t / s, sqrt(s / t))",
    example="""\
# Up in an epoch, then down as 1 over the square root of the step.
schedule:
  type: inverse_sqrt
  max_lr: 0.02
  s: 1 epoch
epochs: 10
""",
    origins=(
        Origin(
            "Vaswani et al.", "Attention is all you need", 2017, "https://arxiv.org/abs/1706.03762"
        ),
    ),
    names=(
        Name("transformers", "get_inverse_sqrt_schedule", "`num_warmup_steps` is `s`"),
        Name("papers", "Noam", "with `max_lr` of `(width * s)**-0.5`, one step earlier"),
    ),
    traps=(
        "The rise is part of the formula and `s` is its length: a `warmup` would stand before it.",
        "Noam counts its steps from 1, so that its first rate is not 0: Noam at step t is this at "
        "t + 1.",
        "Hugging Face's `get_inverse_sqrt_schedule` has a `timescale` of its own; where it is not "
        "given, it is the warm-up's length, as here.",
    ),
)
