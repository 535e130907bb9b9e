"""The closed loops, whose rates depend on the training."""

from lrlab.guide.entry import Entry, Name, Origin
from lrlab.guide.origins import GERON

PERFORMANCE = Entry(
    type="performance",
    formula=(
        "after `patience` epochs in a row not better than the best by `min_delta`:\n"
        "rate = max(min_lr, factor * rate)"
    ),
    example="""\
# Halved after every epoch in which the validation loss did not improve.
schedule:
  type: performance
  initial_lr: 0.01
  factor: 0.5
  patience: 1
epochs: 10
""",
    origins=(GERON,),
    names=(
        Name("Keras", "ReduceLROnPlateau", "with `variant: keras`, the default"),
        Name("PyTorch", "ReduceLROnPlateau", "with `variant: pytorch`"),
        Name("optax", "reduce_on_plateau", "of `optax.contrib`; counts updates, not epochs"),
        Name("timm", "PlateauLRScheduler", "with `variant: pytorch`, which it calls"),
        Name("transformers", "get_reduce_on_plateau_schedule",
             "with `variant: pytorch`, which it calls"),
        Name("fastai", "ReduceLROnPlateau", "a callback; its `factor` divides"),
    ),
    traps=(
        "Keras reduces after `patience` bad epochs, PyTorch after one more.",
        "`min_delta` is a difference in Keras, a share of the best in PyTorch.",
        "`factor` is 0.5 and `patience` 5 by default, as in the book; Keras and PyTorch have 0.1 "
        "and 10.",
        "The curve is known only while training: its picture follows an invented history.",
    ),
    history=(0.45, 0.40, 0.37, 0.38, 0.36, 0.35, 0.351, 0.347, 0.348),
)  # fmt: skip

GREEDY = Entry(
    type="greedy",
    formula=(
        "after more than `patience` epochs in a row that are better by `min_delta`:\n"
        "rate = min(max_lr, rate / factor)\n"
        "after more than `patience` that were not:\n"
        "rate = max(min_lr, rate * factor)"
    ),
    example="""\
# A quarter up after a better epoch, a fifth down after a worse one.
schedule:
  type: greedy
  initial_lr: 0.005
  factor: 0.8
  patience: 0
  max_lr: 0.02
  monitor: val_loss
epochs: 10
""",
    origins=(
        Origin(
            "Subramanian, Krishnamoorthy and Murthy", "Dynamic learning rate scheduling based on "
            "loss changes leads to faster convergence", 2025, "https://arxiv.org/abs/2512.14527",
        ),
    ),
    names=(Name("transformers", "GreedyLR", "`warmup` is `rise_cooldown`"),),
    traps=(
        "`patience` is 10 by default, which is longer than many runs here: it would never move.",
        "`min_lr` is 0.001 by default: a lower `initial_lr` is refused.",
        "It is decided once an epoch, in Hugging Face once an evaluation.",
        "The curve is known only while training: its picture follows an invented history.",
    ),
    history=(0.60, 0.45, 0.40, 0.37, 0.36, 0.37, 0.355, 0.36, 0.37),
)  # fmt: skip
