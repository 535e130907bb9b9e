"""What other validation examples could change: variance components against simulated truth."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from samples import run, summary

from lrlab.analysis import examples, judging, summaries
from lrlab.analysis.best_set import judged
from lrlab.metric import ACCURACY, LOSS
from lrlab.report import remarks, tables
from lrlab.results.right import Right

VAL = ACCURACY.on("val")


def drawn(rng, seeds, count, gain=0.0, own=0.5):
    """Bits of two experiments: some examples suit one, some the other, and seeds have luck."""
    suits = rng.normal(0, own, count)
    difficulty = rng.normal(1.0, 1.0, count)

    def bits(sign, shift):
        luck = rng.normal(0, 1, (seeds, count))
        return difficulty + sign * suits / 2 + shift + luck > 0

    return bits(1, gain), bits(-1, 0.0)


def test_the_error_is_that_of_drawing_other_examples():
    """The mean estimate is the variance, over data sets, of what many seeds would say."""
    rng = np.random.default_rng(5)
    pairs = [drawn(rng, 5, 400, own=1.5) for _ in range(300)]
    estimates = [examples.squared_error(*pair) for pair in pairs]
    differences = [one.mean() - other.mean() for one, other in pairs]
    of_seeds = np.mean([
        ((one.mean(1) - other.mean(1)).var(ddof=1)) / 5 for one, other in pairs
    ])  # fmt: skip
    # The seeds' part is estimated within a data set and is no part of the examples'.
    assert np.mean(estimates) == pytest.approx(np.var(differences) - of_seeds, rel=0.25)


def test_where_examples_have_no_part_in_it_the_error_is_small():
    rng = np.random.default_rng(6)
    none = [examples.squared_error(*drawn(rng, 6, 400, own=0.0)) for _ in range(100)]
    some = [examples.squared_error(*drawn(rng, 6, 400, own=1.0)) for _ in range(100)]
    assert min(none) >= 0
    assert np.mean(none) < 0.3 * np.mean(some)


def test_pairs_need_two_seeds_in_common():
    rng = np.random.default_rng(7)
    one, other = drawn(rng, 3, 50)
    right = {"a": dict(enumerate(one)), "b": dict(enumerate(other))}
    errors = examples.pair_errors(right)
    assert errors == {frozenset("ab"): examples.squared_error(one, other)}
    shifted = {seed + 2: bits for seed, bits in right["b"].items()}
    assert examples.pair_errors({"a": right["a"], "b": shifted}) is None
    shorter = {seed: bits[:-1] for seed, bits in right["b"].items()}
    assert examples.pair_errors({"a": right["a"], "b": shorter}) is None


def test_the_combined_interval_covers_where_seeds_alone_do_not():
    """Truth: the difference over all examples that there could be; here that is 0."""
    rng = np.random.default_rng(8)
    covered = {"seeds": 0, "combined": 0}
    count = 200
    for _ in range(count):
        one, other = drawn(rng, 5, 500, own=1.5)
        scores = {"a": list(one.mean(1)), "b": list(other.mean(1))}
        errors = {frozenset("ab"): examples.squared_error(one, other)}
        for name, given in (("seeds", None), ("combined", errors)):
            found = judged(scores, alpha=0.05, mode="max", examples=given)
            covered[name] += len(found.best_set) == 2
    assert covered["combined"] / count >= 0.94
    assert covered["seeds"] / count < 0.9


def comparison(bits, *, kept=True):
    """A comparison whose runs got these examples right, and its results."""
    made, results = [], {}
    for name, of in bits.items():
        runs = [
            run(0.5, float(row.mean())) if not kept else
            replace_right(run(0.5, float(row.mean())), row)
            for row in of
        ]  # fmt: skip
        e = summary(*runs, name=name)
        made.append(e)
        results |= dict(zip(e.runs, runs, strict=True))
    return summaries.compare(made), results


def replace_right(result, row):
    return replace(result, val_right=Right.of(row))


@pytest.fixture
def close():
    """Two that differ surely over these examples, but on examples that suit one of them."""
    rng = np.random.default_rng(2)
    suits = rng.random(200) < 0.05
    base = rng.random(200) < 0.8
    noise = [rng.random(200) < 0.005 for _ in range(10)]
    return {
        "lucky": np.stack([(base | suits) ^ flip for flip in noise[:5]]),
        "other": np.stack([(base & ~suits) ^ flip for flip in noise[5:]]),
    }


def test_what_other_examples_could_turn_around_has_a_mark():
    """Every seed says the same, but it is two examples of sixty that say it."""
    lucky = np.ones((5, 60), bool)
    lucky[np.arange(5), np.arange(10, 15)] = False
    other = lucky.copy()
    other[:, :2] = False
    made, results = comparison({"lucky": lucky, "other": other})
    told = judging.with_other_examples(made, results, VAL.key, VAL.mode)
    assert judging.judge(told, VAL.key, VAL.mode).best_set == ("lucky",)
    assert told.other_examples.best_set == ("lucky", "other")
    titles, rows = tables.table(told)
    said = [row[titles.index("verdict")][0] for row in rows]
    assert said == ["the best", "worse by 3.3 to 3.3 (*)"]
    lines = remarks.remarks(told, VAL)
    assert (
        "60 other validation examples could move a difference by 4.6 points; (*): with those this "
        "one could be the best"
    ) in lines


def test_the_intervals_only_get_wider(close):
    made, results = comparison(close)
    found = judging.judge(made, VAL.key, VAL.mode)
    told = judging.with_other_examples(made, results, VAL.key, VAL.mode).other_examples
    for name, (low, high) in found.behind.items():
        assert told.behind[name][0] <= low
        assert told.behind[name][1] >= high
    assert set(told.best_set) >= set(found.best_set)


def test_it_is_left_out_and_said_where_it_cannot_be_told(close):
    made, results = comparison(close, kept=False)
    assert judging.with_other_examples(made, results, VAL.key, VAL.mode) is made
    said = remarks.remarks(made, VAL)
    assert any("not every run kept which it had right" in line for line in said)
    made, results = comparison(close)
    loss = LOSS.on("val")
    assert judging.with_other_examples(made, results, loss.key, loss.mode) is made
    said = remarks.remarks(made, loss)
    assert any("cannot be told for val loss" in line for line in said)


def test_bits_survive_packing():
    rng = np.random.default_rng(0)
    for count in itertools.chain(range(1, 18), [5_000]):
        bits = rng.random(count) < 0.5
        right = Right.of(bits)
        np.testing.assert_array_equal(right.bits(), bits)
        assert len(right.packed) == -(-count // 8)
