"""The search for a best rate, on curves of which the best rate is known; nothing is trained."""

import numpy as np
import pytest

from lrlab.finder.rate_search import Search, Tolerance, mean_scores
from lrlab.finder.trials import Trial

POINTS = Tolerance(0.5)


def carry_out(search, score, shuffled=None):
    """Return all scores of a search, which `score(step, seed)` gives, and its rounds."""
    scores, rounds = {}, []
    while trials := search.proposals(scores):
        assert len(set(trials)) == len(trials)
        assert not set(trials) & set(scores)
        rounds.append(trials)
        found = [(trial, score(trial.step, trial.seed)) for trial in trials]
        scores |= dict(found)
        if shuffled is not None:
            items = list(scores.items())
            scores = dict(items[i] for i in shuffled.permutation(len(items)))
    return scores, rounds


def valley(best, bend=0.3, cliff=2.0):
    """Return scores that fall with the square of the doublings, and break down above a cliff."""
    return lambda step, _seed: None if step > best + cliff else -bend * (step - best) ** 2


@pytest.mark.parametrize("best", [-6.3, -3, -1.2, 0, 0.5, 1, 2.7, 5])
@pytest.mark.parametrize("runs", [9, 12, 17, 30])
def test_the_nearest_rate_is_found_wherever_it_is(best, runs):
    search = Search(runs, POINTS)
    scores, _ = carry_out(search, valley(best))
    assert len(scores) == runs
    if runs >= 12:
        assert abs(search.chosen(scores) - best) <= 0.5


def test_first_a_grid_with_ratio_4_then_2_then_seeds():
    _, rounds = carry_out(Search(17, POINTS), valley(2.1))
    assert [sorted({trial.step for trial in trials}) for trials in rounds[:3]] == [
        [-2, 0, 2], [4], [1, 3],
    ]  # fmt: skip
    assert [[trial.seed for trial in trials] for trials in rounds[3:5]] == [[1] * 3, [2] * 3]
    assert {len(trials) for trials in rounds[5:]} <= {1, 2}


def test_it_goes_on_while_the_far_side_has_not_fallen():
    def flat_below(step, _seed):
        return -0.1 * max(-step, 0) ** 0.5 if step <= 0 else -2.0 * step

    scores, _ = carry_out(Search(17, POINTS), flat_below)
    assert min(trial.step for trial in scores) < -2
    assert max(trial.step for trial in scores) == 2


def test_what_comes_next_depends_on_the_scores_alone():
    noise = np.random.default_rng(3).normal(0, 0.3, (60, 30))

    def score(step, seed):
        return -0.2 * (step - 1.4) ** 2 + noise[step + 20, seed]

    first, rounds = carry_out(Search(17, POINTS), score)
    again, others = carry_out(Search(17, POINTS), score, np.random.default_rng(1))
    assert first == again
    assert rounds == others


@pytest.mark.parametrize("runs", range(5, 25))
def test_the_budget_is_used_up_and_never_exceeded(runs):
    noise = np.random.default_rng(runs).normal(0, 0.5, (80, 30))
    scores, _ = carry_out(Search(runs, POINTS), lambda step, seed: noise[step + 40, seed])
    assert len(scores) == runs


def test_it_ends_where_nothing_survives():
    scores, _ = carry_out(Search(17, POINTS), lambda _step, _seed: None)
    assert Search(17, POINTS).chosen(scores) is None
    steps = sorted(trial.step for trial in scores)
    assert len(steps) == 12
    assert steps[0] < -8
    assert steps[-1] > 8


def test_it_looks_lower_where_nothing_near_the_suggestion_survives():
    search = Search(17, POINTS)
    scores, _ = carry_out(search, valley(-7.5, cliff=1.0))
    assert search.chosen(scores) in (-8, -7)


def test_a_rate_that_breaks_down_with_another_seed_is_not_chosen():
    def cliff(step, seed):
        return None if step > 1 or (step == 1 and seed == 2) else float(step)

    search = Search(17, POINTS)
    scores, _ = carry_out(search, cliff)
    assert scores[Trial(1, 2)] is None
    assert search.chosen(scores) == 0


def test_one_lucky_seed_is_not_enough():
    scores = {Trial(0, seed): 0.5 for seed in range(4)} | {Trial(1, 0): 0.9}
    assert Search(17, POINTS).chosen(scores) == 0


def test_regret_is_small_although_scores_are_noisy():
    """A valley of 0.3 points a doubling squared, seeds that differ by 0.3 points."""
    rng = np.random.default_rng(0)
    regrets, optimism = [], []
    for _ in range(200):
        best, seeds = rng.uniform(-3, 3), rng.normal(0, 0.15, 40)

        def score(step, seed, best=best, seeds=seeds):
            return -0.3 * (step - best) ** 2 + seeds[seed] + rng.normal(0, 0.26)

        search = Search(17, POINTS)
        scores, _ = carry_out(search, score)
        chosen = search.chosen(scores)
        regrets.append(0.3 * (chosen - best) ** 2)
        optimism.append(mean_scores(scores)[chosen] + regrets[-1])
    assert np.mean(regrets) < 0.1
    assert np.quantile(regrets, 0.95) < 0.31
    assert np.mean(optimism) > 2 * np.std(optimism) / np.sqrt(200)  # So it needs fresh seeds.
