"""The schedules that stay high for long and then go to a last rate: wsd, rex, tanh."""

from lrlab.guide.entry import Entry, Name, Origin

WSD = Entry(
    type="wsd",
    formula=(
        "g = clip(1 - (over - t) / decay, 0, 1)\n"
        "fall = {'linear': 1 - g, 'cosine': (1 + cos(pi * g)) / 2,\n"
        "        'one_minus_sqrt': 1 - sqrt(g)}[shape]\n"
        "rate = end_lr + (max_lr - end_lr) * fall"
    ),
    example="""\
# Up in 5% of the run, constant, and down in the last fifth of the rest.
schedule:
  type: wsd
  max_lr: 0.01
epochs: 10
""",
    origins=(
        Origin(
            "Hu et al.", "MiniCPM: unveiling the potential of small language models", 2024,
            "https://arxiv.org/abs/2404.06395",
        ),
        Origin(
            "Hägele et al.", "Scaling laws and compute-optimal training beyond fixed training "
            "durations", 2024, "https://arxiv.org/abs/2405.18392",
        ),
    ),
    names=(
        Name("transformers", "get_wsd_schedule", "`num_decay_steps` is `decay`"),
        Name("fastai", "fit_flat_cos", "with `shape: cosine`, `decay: 25%`, `warmup: null`"),
        Name("papers", "trapezoidal", "with `shape: linear`"),
    ),
    traps=(
        "It alone has a warm-up by default, of 5%; `warmup: null` is without one.",
        "`decay` counts back from the end of `over`, which begins after the warm-up.",
        "Hugging Face's falls along a cosine by default, and its warm-up begins at its floor "
        "`min_lr_ratio`, here at 0 unless `from` says otherwise.",
    ),
)  # fmt: skip

REX = Entry(
    type="rex",
    formula=(
        "f = min(t / over, 1)\n"
        "rate = end_lr + (initial_lr - end_lr) * (1 - f) / (1 - f / 2)"
    ),
    example="""\
# Stays high for long, then falls ever faster to 0.
schedule:
  type: rex
  initial_lr: 0.01
epochs: 10
""",
    origins=(
        Origin(
            "Chen, Wolfe and Kyrillidis", "REX: revisiting budgeted training with an improved "
            "schedule", 2021, "https://arxiv.org/abs/2107.04197",
        ),
    ),
    names=(Name("papers", "reflected exponential"),),
    traps=(
        "None of these libraries has it, so that it is checked against its formula alone.",
        "It was made for short budgets: half-way through, two thirds of the rate are left.",
    ),
)  # fmt: skip

TANH = Entry(
    type="tanh",
    formula=(
        "f = min(t / over, 1)\n"
        "fall = (1 - tanh((1 - f) * lower + f * upper)) / 2\n"
        "rate = end_lr + (initial_lr - end_lr) * fall"
    ),
    example="""\
# High for the first half, then down fast, then low.
schedule:
  type: tanh
  initial_lr: 0.02
epochs: 10
""",
    origins=(
        Origin(
            "Hsueh, Li and Wu", "Stochastic gradient descent with hyperbolic-tangent decay on "
            "classification", 2018, "https://arxiv.org/abs/1806.01593",
        ),
    ),
    names=(
        Name("timm", "TanhLRScheduler", "`lb` is `lower`, -7 by default; `ub` is `upper`"),
        Name("papers", "HTD"),
    ),
    traps=(
        "The tangent reaches neither end: the last rate is 0.25% of the first, not `end_lr`, and "
        "the first is a little below `initial_lr`.",
        "Past the end timm falls to `lr_min`; here the last rate holds.",
    ),
)  # fmt: skip
