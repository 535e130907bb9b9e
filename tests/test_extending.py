"""What is swept next where a sweep gave no number."""

import itertools

import numpy as np
import pytest

from lrlab.finder import extending
from lrlab.finder.extending import NOTHING, Span, Stated, Tried, next_span
from lrlab.finder.suggestion import Verdict

USUAL = Span(1e-6, 10.0, 200)

CASES = {
    "a number": (Verdict.OK, 0.9, NOTHING, None),
    "too noisy": (Verdict.TOO_NOISY, 0.9, NOTHING, Span(1e-6, 10.0, 800)),
    "nothing learned": (Verdict.NO_DESCENT, 1.0, NOTHING, Span(1e-6, 10.0, 800)),
    "no steps left to choose": (Verdict.NO_DESCENT, 1.0, Stated(steps=200), None),
    "ended early": (Verdict.NO_DESCENT, 3 / 7, NOTHING, Span(1e-9, 1e-2, 500)),
    "ended early, steps stated": (
        Verdict.DIVERGED_AT_ONCE,
        1 / 7,
        Stated(steps=300),
        Span(1e-11, 1e-4, 300),
    ),
    "ended early, range stated": (
        Verdict.NO_DESCENT,
        3 / 7,
        Stated(min_lr=1e-6),
        Span(1e-6, 10.0, 800),
    ),
    "diverged at once, range stated": (Verdict.DIVERGED_AT_ONCE, 0.1, Stated(max_lr=10.0), None),
    "down before it was looked at": (
        Verdict.DIVERGED_AT_ONCE,
        0.8,
        NOTHING,
        Span(1e-9, 10.0, 286),
    ),
    "never rose": (Verdict.NO_DIVERGENCE, 1.0, NOTHING, Span(1e-3, 1e4, 200)),
    "never rose, range stated": (Verdict.NO_DIVERGENCE, 1.0, Stated(max_lr=10.0), None),
    "too short": (Verdict.TOO_SHORT, 1.0, Stated(steps=20), None),
}


@pytest.mark.parametrize(
    ("verdict", "share", "stated", "expected"), CASES.values(), ids=CASES.keys()
)
def test_what_is_swept_next(verdict, share, stated, expected):
    assert next_span([Tried(USUAL, verdict, share)], stated, 300) == expected


def test_few_data_get_40_passes_at_most():
    first = Tried(USUAL, Verdict.NO_DESCENT, 1.0)
    assert next_span([first], NOTHING, 10) == Span(1e-6, 10.0, 400)
    assert next_span([first], NOTHING, 3) is None


@pytest.mark.parametrize("verdict", list(Verdict))
@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 1.0])
@pytest.mark.parametrize("steps_per_epoch", [1, 57, 5_000])
def test_it_ends_within_three_sweeps_and_never_repeats_one(verdict, share, steps_per_epoch):
    sweeps = [Tried(NOTHING.first(steps_per_epoch), verdict, share)]
    while (span := next_span(sweeps, NOTHING, steps_per_epoch)) is not None:
        assert 0 < span.min_lr < span.max_lr
        assert span.steps <= extending.MOST_EXTENDED
        sweeps.append(Tried(span, verdict, share))
    assert len(sweeps) <= extending.MOST_SWEEPS
    assert len({each.span for each in sweeps}) == len(sweeps)


@pytest.mark.parametrize("given", [*itertools.product([None, 1e-9], [None, 1.0], [None, 321])])
def test_what_is_stated_stays(given):
    stated = Stated(*given)
    for verdict, share in itertools.product(Verdict, (0.1, 0.9)):
        span = next_span([Tried(stated.first(100), verdict, share)], stated, 100)
        if span is not None:
            found = (span.min_lr, span.max_lr, span.steps)
            assert all(a in (None, b) for a, b in zip(given, found, strict=True))


def test_a_wider_range_has_more_steps():
    assert Stated(min_lr=1e-20).first(18) == Span(1e-20, 10.0, 600)


def test_how_far_a_sweep_got_is_the_median_of_its_seeds():
    losses = np.ones((3, 10))
    losses[0, 2:], losses[1, 5:] = np.nan, np.nan
    assert extending.tried(Span(1e-6, 10.0, 10), Verdict.TOO_NOISY, losses).share == 0.5
