"""The schedules that go to a last rate over a given length: lines, powers and cosines."""

from lrlab.guide.entry import Entry, Name, Origin
from lrlab.guide.origins import KERAS, PYTORCH, SGDR

LINEAR = Entry(
    type="linear",
    formula="f = min(t / over, 1)\nrate = (1 - f) * initial_lr + f * end_lr",
    example="""\
# A straight line down to a hundredth.
schedule:
  type: linear
  initial_lr: 0.01
  end_lr: 0.0001
epochs: 10
""",
    origins=(PYTORCH,),
    names=(
        Name("Keras", "PolynomialDecay(power=1)", "its default; ends at 1e-4 unless told 0"),
        Name("PyTorch", "LinearLR", "`end_lr` is `end_factor` times the rate"),
        Name("optax", "linear_schedule"),
        Name("fastai", "SchedLin"),
    ),
    traps=(
        "PyTorch's `LinearLR` is a warm-up by default: 5 calls up from a third of the rate. Here "
        "that is `warmup`.",
        "It ends at 0 unless `end_lr` is given.",
    ),
)

LINEAR_TO_ZERO = Entry(
    type="linear_to_zero",
    formula="f = min(t / over, 1)\nrate = (1 - f) * max_lr",
    example="""\
# A short rise, then a straight line to 0, as for large language models.
schedule:
  type: linear_to_zero
  max_lr: 0.02
  warmup: {for: 5%}
epochs: 10
""",
    origins=(
        Origin(
            "Bergsma et al.",
            "Straight to zero: why linearly decaying the learning rate to zero works best for LLMs",
            2025,
            "https://arxiv.org/abs/2502.15938",
        ),
    ),
    names=(
        Name("transformers", "get_linear_schedule_with_warmup", "with `warmup`"),
        Name("papers", "D2Z", "with `warmup`"),
    ),
    traps=(
        "The warm-up that the paper has is a `warmup` here; without one it starts at `max_lr`.",
        "Hugging Face's `num_training_steps` include the warm-up; here the line takes what is left "
        "after it.",
    ),
)

POLYNOMIAL = Entry(
    type="polynomial",
    formula="f = min(t / over, 1)\nrate = end_lr + (initial_lr - end_lr) * (1 - f)**power",
    example="""\
# Falls with the square of what is left of the run.
schedule:
  type: polynomial
  initial_lr: 0.02
  power: 2.0
epochs: 10
""",
    origins=(
        Origin(
            "Chen et al.",
            "DeepLab: semantic image segmentation with deep convolutional nets, atrous "
            "convolution, and fully connected CRFs",
            2016,
            "https://arxiv.org/abs/1606.00915",
        ),
        KERAS,
    ),
    names=(
        Name("Keras", "PolynomialDecay", "ends at 1e-4 unless told 0"),
        Name("PyTorch", "PolynomialLR", "always to 0"),
        Name("optax", "polynomial_schedule"),
        Name("timm", "PolyLRScheduler", "whose power is 0.5 by default"),
        Name("transformers", "get_polynomial_decay_schedule_with_warmup", "ends at 1e-7"),
        Name("papers", "poly", "with `power: 0.9` in DeepLab"),
    ),
    traps=(
        "`power` is 1 by default, a straight line, as in Keras and PyTorch; timm's is 0.5.",
        "Keras' ends at 1e-4 and Hugging Face's at 1e-7 unless told otherwise, this one at 0.",
        "fastai's `SchedPoly` raises the share that has passed, not the one that is left: with "
        "power 2 it stays high where this falls at once.",
        "Keras' `cycle=True` is not part of it.",
    ),
)

COSINE = Entry(
    type="cosine",
    formula=(
        "f = min(t / over, 1)\n"
        "rate = end_lr + (initial_lr - end_lr) * (1 + cos(pi * f)) / 2"
    ),
    example="""\
# A short rise, then half a cosine to 0.
schedule:
  type: cosine
  initial_lr: 0.02
  warmup: {for: 5%}
epochs: 10
""",
    origins=(SGDR,),
    names=(
        Name("Keras", "CosineDecay", "`alpha` is `end_lr / initial_lr`"),
        Name("PyTorch", "CosineAnnealingLR", "`eta_min` is `end_lr`"),
        Name("optax", "cosine_decay_schedule", "`alpha` is `end_lr / initial_lr`"),
        Name("optax", "warmup_cosine_decay_schedule", "with `warmup`"),
        Name("timm", "CosineLRScheduler", "`lr_min` is `end_lr`"),
        Name("transformers", "get_cosine_schedule_with_warmup", "with `warmup`"),
        Name("transformers", "get_cosine_with_min_lr_schedule_with_warmup", "with `warmup`"),
        Name("fastai", "SchedCos"),
    ),
    traps=(
        "PyTorch's `CosineAnnealingLR` rises again when it goes on past `T_max`; here the last "
        "rate holds.",
        "`end_lr` is a rate; `alpha` of Keras and optax is a share of the first rate.",
        "Keras' `decay_steps` exclude the warm-up, those of optax and Hugging Face include it. "
        "Here `over` is 100% of what the warm-up leaves; timm's `t_initial` counts like that with "
        "`warmup_prefix=True` alone.",
    ),
)  # fmt: skip
