"""Looks at growing numbers of seeds: who stops when, why they end, and that replaying repeats."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lrlab.analysis import looks
from lrlab.analysis.best_set import best_set
from lrlab.analysis.looks import End, Look, planned, stand

NAN = math.nan
RNG = np.random.default_rng(3)
NOISE = RNG.normal(0, 0.002, (5, 24))
TIED = {"a": list(0.9 + NOISE[0]), "b": list(0.9 + NOISE[1])}
CLEAR = {"good": list(0.9 + NOISE[0]), "bad": list(0.8 + NOISE[1])}
AT = planned()


@pytest.mark.parametrize(
    ("most", "at"),
    [(3, (3,)), (5, (3, 5)), (6, (3, 6)), (24, (3, 6, 12, 24)), (30, (3, 6, 12, 24, 30))],
)
def test_looks_are_planned_before(most, at):
    assert planned(most) == at


def grown(scores, at=AT, **options):
    """Give every experiment the seeds that it is wanted to have, until that ends."""
    have = {name: [] for name in scores}
    rounds = 0
    while (now := stand(have, at, mode="max", **options)).wanted is not None:
        for name in now.undecided:
            have[name] = scores[name][: now.wanted]
        rounds += 1
        assert rounds <= len(at)
    return now, have


def test_before_the_first_look_everything_is_open():
    now = stand({"a": [], "b": []}, AT, mode="max")
    assert (now.looks, now.undecided, now.wanted, now.ended) == ((), ("a", "b"), 3, None)
    assert not now.verdict.decided


def test_it_ends_when_one_is_left():
    now, have = grown(CLEAR)
    assert now.ended is End.ONE_LEFT
    assert now.looks == (Look(3, ("good", "bad"), ("bad",)),)
    assert (now.undecided, now.verdict.best_set) == (("good",), ("good",))
    assert [len(of) for of in have.values()] == [3, 3]


def test_it_ends_at_the_maximum():
    now, have = grown(TIED)
    assert now.ended is End.MAXIMUM
    assert [look.seeds for look in now.looks] == [3, 6, 12, 24]
    assert set(now.verdict.best_set) == {"a", "b"}
    assert [len(of) for of in have.values()] == [24, 24]


def test_it_ends_when_all_that_are_left_are_equal_within_the_tolerance():
    now, _ = grown(TIED, within=0.004)
    assert now.ended is End.EQUAL
    last = now.looks[-1].seeds
    assert last < 24
    assert max(high for _, high in now.verdict.behind.values()) <= 0.004
    earlier = stand({n: of[: last // 2] for n, of in TIED.items()}, AT, mode="max")
    assert max(high for _, high in earlier.verdict.behind.values()) > 0.004


def test_who_stops_keeps_fewer_seeds_and_the_words_of_its_last_look():
    scores = {**TIED, "bad": list(0.8 + NOISE[2])}
    now, have = grown(scores)
    assert [len(have[name]) for name in ("a", "b", "bad")] == [24, 24, 3]
    assert now.verdict.finished == {"a": (24, 24), "b": (24, 24), "bad": (3, 3)}
    first = best_set({name: of[:3] for name, of in scores.items()}, alpha=0.05 / 4)
    assert now.verdict.behind["bad"] == first.behind["bad"]
    last = best_set({name: scores[name] for name in "ab"}, alpha=0.05 / 4)
    assert now.verdict.behind["a"] == last.behind["a"]
    assert now.verdict.alpha == 0.05
    assert now.verdict.decided


def test_low_is_good_where_it_is_a_loss():
    turned = {name: [-v for v in of] for name, of in CLEAR.items()}
    now = stand({n: of[:3] for n, of in turned.items()}, AT, mode="min")
    assert now.verdict.best_set == ("good",)


@pytest.mark.parametrize(
    ("lost", "stopped", "left"),
    [
        ([NAN, NAN, NAN], ("lost",), ("a", "b")),
        ([0.9, NAN, NAN], (), ("a", "b", "lost")),
        ([0.7, 0.7, NAN], (), ("a", "b", "lost")),
    ],
    ids=["none finished", "one finished", "two finished"],
)
def test_runs_that_did_not_finish(lost, stopped, left):
    scores = {"a": TIED["a"][:3], "b": TIED["b"][:3], "lost": lost}
    now = stand(scores, AT, mode="max")
    assert now.looks[0].stopped == stopped
    assert now.undecided == left


def test_it_ends_where_no_run_finishes():
    now = stand({"a": [NAN] * 3, "b": [NAN] * 3}, AT, mode="max")
    assert (now.ended, now.undecided) == (End.NONE_LEFT, ())


def test_another_result_is_judged_at_the_same_looks_as_far_as_it_goes():
    """By the accuracy `bad` stopped after 3 seeds; by the loss it would have gone on."""
    losses = {"a": list(0.3 + NOISE[0]), "b": list(0.3 + NOISE[1]), "bad": list(0.3 + NOISE[2][:3])}
    now = stand(losses, AT, mode="min")
    assert [look.compared for look in now.looks] == [("a", "b", "bad"), *[("a", "b")] * 3]
    assert set(now.verdict.best_set) == {"a", "b", "bad"}
    assert now.ended is None


values = st.floats(0, 1) | st.just(NAN)


@settings(max_examples=40)
@given(
    st.dictionaries(st.sampled_from("abcd"), st.lists(values, min_size=24, max_size=24), min_size=2)
)
def test_replaying_all_that_was_recorded_gives_the_same(scores):
    now, have = grown(scores)
    again = stand(have, AT, mode="max")
    assert (again.looks, again.undecided, again.ended) == (now.looks, now.undecided, now.ended)
    assert again.verdict == now.verdict
    assert now.ended is not None
    assert set(now.verdict.best_set) <= set(now.undecided)


def test_ties_keep_the_best_and_staircases_end_early():
    """A small version of benchmarks/verdicts.py: it loses the best rarely and saves runs."""
    rng = np.random.default_rng(1)
    lost = used = 0
    for _ in range(60):
        scores = {f"s{i}": list(rng.normal(-i, 1.0, 24)) for i in range(5)}
        now, have = grown(scores)
        lost += "s0" not in now.undecided
        used += sum(len(of) for of in have.values())
    assert lost / 60 < 0.05
    assert used / (60 * 5 * 24) < 0.7


def test_the_usual_maximum_is_that_of_the_command_line():
    assert looks.planned(looks.USUAL_MOST) == (3, 6, 12, 24)
