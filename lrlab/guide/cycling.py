"""The schedules that go up and down: one_cycle, cyclic, cosine_restarts."""

from lrlab.guide.entry import Entry, Name, Origin
from lrlab.guide.origins import GERON, SGDR

ONE_CYCLE = Entry(
    type="one_cycle",
    formula=(
        "start_lr = max_lr / 10  # where it is not given, of the variant `book`\n"
        "end_lr = start_lr / 1000  # where it is not given\n"
        "last = over // 10 + 1\n"
        "half = (over - last) // 2\n"
        "at = [0, half, 2 * half, over]\n"
        "rate = interp(t, at, [start_lr, max_lr, start_lr, end_lr])"
    ),
    example="""\
# Up to the peak that `lrlab find-lr` suggests, back down, then far below.
schedule:
  type: one_cycle
  max_lr: 0.02
epochs: 10
""",
    origins=(
        Origin(
            "Smith", "A disciplined approach to neural network hyper-parameters", 2018,
            "https://arxiv.org/abs/1803.09820",
        ),
        GERON,
    ),
    names=(
        Name("PyTorch", "OneCycleLR", "with `variant: pytorch`"),
        Name("optax", "cosine_onecycle_schedule", "with `variant: fastai`, but its peak is rounded "
             "down to a whole step"),
        Name("optax", "linear_onecycle_schedule", "three lines with other corners; a `sequence` of "
             "`linear` has them"),
        Name("fastai", "fit_one_cycle", "with `variant: fastai`"),
        Name("papers", "1cycle"),
    ),
    traps=(
        "Several curves are called 1cycle: the book's is linear with the peak in the middle, "
        "those of fastai and PyTorch are cosines with the peak at 25% and 30%.",
        "The floors differ: `start_lr / 1000` in the book, `max_lr / 1e5` in fastai, "
        "`start_lr / 1e4` in PyTorch.",
        "PyTorch's peak is at step `0.3 * steps - 1` and it cycles the momentum unless told not "
        "to; here `momentum: {}` does.",
        "PyTorch's `OneCycleLR` fails when it is stepped past its end; here the last rate holds.",
    ),
)  # fmt: skip

CYCLIC = Entry(
    type="cyclic",
    formula=(
        "down = up  # where it is not given\n"
        "k = floor(t / (up + down))\n"
        "x = t - k * (up + down)\n"
        "height = min(x / up, (up + down - x) / down)\n"
        "scale = {'triangular': 1, 'triangular2': 1 / 2**k,\n"
        "         'exp_range': gamma**t}[mode]\n"
        "rate = min_lr + (max_lr - min_lr) * height * scale"
    ),
    example="""\
# Two triangles, the second half as high.
schedule:
  type: cyclic
  min_lr: 0.001
  max_lr: 0.02
  up: 25%
  mode: triangular2
epochs: 10
""",
    origins=(
        Origin(
            "Smith", "Cyclical learning rates for training neural networks", 2015,
            "https://arxiv.org/abs/1506.01186",
        ),
    ),
    names=(
        Name("PyTorch", "CyclicLR", "`step_size_up` is `up`, `base_lr` is `min_lr`"),
        Name("papers", "CLR"),
        Name("papers", "triangular", "the default `mode`"),
        Name("papers", "triangular2", "with `mode: triangular2`"),
    ),
    traps=(
        "A run that does not end with a cycle may end at a high rate: let the run be a whole "
        "number of `up` and `down`.",
        "PyTorch's `CyclicLR` cycles the momentum as well unless `cycle_momentum=False`.",
        "`gamma` is the factor of a single step: 0.999 leaves 37% after 1,000 steps.",
    ),
)  # fmt: skip

COSINE_RESTARTS = Entry(
    type="cosine_restarts",
    formula=(
        "k, begin = 0, 0  # the cycle, and the step that it begins at\n"
        "while t >= begin + period * growth**k:\n"
        "    k, begin = k + 1, begin + period * growth**k\n"
        "f = (t - begin) / (period * growth**k)\n"
        "rate = min_lr + (initial_lr - min_lr) * decay**k * (1 + cos(pi * f)) / 2"
    ),
    example="""\
# Two cosines, the second four times as long and starting half as high.
schedule:
  type: cosine_restarts
  initial_lr: 0.02
  period: 20%
  growth: 4.0
  decay: 0.5
epochs: 10
""",
    origins=(SGDR,),
    names=(
        Name("Keras", "CosineDecayRestarts", "`t_mul` is `growth`, `m_mul` is `decay`"),
        Name("PyTorch", "CosineAnnealingWarmRestarts", "`T_0` is `period`, `T_mult` is `growth`"),
        Name("timm", "CosineLRScheduler(cycle_limit=n)", "`cycle_mul`, `cycle_decay`"),
        Name("transformers", "get_cosine_with_hard_restarts_schedule_with_warmup",
             "with `growth: 1.0` and `warmup`"),
        Name("fastai", "fit_sgdr", "`cycle_len` is `period`, `cycle_mult` is `growth`"),
        Name("papers", "SGDR"),
    ),
    traps=(
        "A run that ends within a cycle ends at a high rate: with `growth` 2, choose 1, 3, 7 or 15 "
        "periods.",
        "`growth` is 2 by default, as in Keras and fastai; PyTorch's `T_mult` is 1.",
        "With both `decay` and `min_lr`, timm lowers the whole peak, this its height above the "
        "floor, as Keras does.",
        "Hugging Face's hard restarts end at 0, where this would begin the next cycle.",
    ),
)  # fmt: skip
