"""The finder benchmark: its stored tasks, and that its page is what they say."""

import json
import re

import benchmark_scripts
import numpy as np
import pytest

UNVERIFIED_MEAN, VERIFIED_MEAN, VERIFIED_WORST = 0.58, 0.18, 1.67
"""Points of accuracy that a suggested rate costs on the tasks held out, as published.

The aims were 0.6 on average, 0.3 on average, and 1.0 at worst, which is missed; lower these with
the page.
"""


@pytest.fixture(scope="module")
def finder():
    """The benchmark's script as a module."""
    return benchmark_scripts.load("finder")


@pytest.fixture(scope="module")
def held_out(finder):
    verified = json.loads(finder.VERIFIED.read_text())
    return [finder.read(one, verified) for one in finder.stored_tasks()["held out"]]


def numbers(finder, tasks, of):
    """Yield every number that a function of task and schedule gives, as (task, schedule, rate)."""
    for task in tasks:
        for kind in finder.KINDS:
            lr = of(task, kind)
            if lr is not None:
                yield task, kind, lr


def test_no_number_leads_to_a_collapse_on_the_tasks_held_out(finder, held_out):
    assert len(held_out) == 12
    for of in (lambda task, kind: task.suggested(kind), lambda task, kind: task.verified[kind]):
        found = list(numbers(finder, held_out, of))
        assert len(found) >= 20
        assert not any(finder.collapsed(*each) for each in found)


def test_regret_over_the_tasks_held_out(finder, held_out):
    points = [
        finder.regret(task, kind, lr)
        for task, kind, lr in numbers(finder, held_out, lambda t, k: t.suggested(k))
        if not task.regression
    ]
    assert np.mean(points) <= UNVERIFIED_MEAN


def test_verified_regret_over_the_tasks_held_out(finder, held_out):
    points = [
        finder.regret(task, kind, lr)
        for task, kind, lr in numbers(finder, held_out, lambda t, k: t.verified[k])
        if not task.regression
    ]
    assert np.mean(points) <= VERIFIED_MEAN
    assert max(points) <= VERIFIED_WORST


def test_the_page_is_what_the_stored_tasks_say(finder, held_out):
    page = (benchmark_scripts.FOLDER / "finder.md").read_text()
    section = page[page.index(f"## {len(held_out)} tasks, held out") :]
    assert finder.regrets(held_out) in section
    assert finder.each(held_out) in section
    assert finder.summary("held out", held_out) in page


def test_what_a_verified_rate_costs_is_measured_and_not_interpolated(finder, held_out):
    for task, kind, lr in numbers(finder, held_out, lambda t, k: t.verified[k]):
        at = task.measured[kind][f"{lr:.3g}"]
        assert finder.regret(task, kind, lr) == max(task.scores[kind].max() - at, 0)


def test_near_the_best_rate_four_seeds_decide(finder, held_out):
    of = {stored["name"]: stored for stored in finder.stored_tasks()["held out"]}
    for task in held_out:
        for kind in finder.KINDS:
            runs = of[task.name][kind][int(task.scores[kind].argmax())]
            assert len(runs) == finder.finder_families.CLOSE_SEEDS


def test_verified_rates_are_those_of_the_present_suggestions(finder):
    verified = json.loads(finder.VERIFIED.read_text())
    for stored in finder.stored_tasks()["held out"]:
        if stored["name"] in verified:
            found = finder.finder_verifying.found_in(stored)
            start = verified[stored["name"]]["start"]
            for kind, name in finder.KINDS.items():
                assert start[kind] == pytest.approx(getattr(found, name), rel=1e-3)


@pytest.mark.parametrize("name", ["TASKS", "FAMILIES"])
def test_stored_tasks_are_small_and_whole(finder, name):
    file = getattr(finder, name)
    assert file.stat().st_size < 1_000_000
    for task in json.loads(file.read_text()):
        assert len(task["grid"]) == len(task["constant"]) == len(task["one_cycle"]) >= 9
        assert {len(losses) for losses in task["loss_by_seed"]} == {len(task["lr"])}
        assert len(task["loss_by_seed"]) == 3


# --- the rules of the others ---


def sweep_with(loss_of):
    """Return rates from 1e-6 to 10 and losses, a function of the logarithm of the rate."""
    lr = np.geomspace(1e-6, 10, 400)
    return lr, np.array([loss_of(x) for x in np.log10(lr)])


def steepest_at(x):
    return 2.3 - 1.5 / (1 + np.exp(-8 * (x + 3)))


@pytest.mark.parametrize("name", ["fastai steep", "Lightning before #21055", "pytorch-lr-finder"])
def test_rules_of_the_slope_answer_somewhat_after_the_steepest_fall(finder, name):
    """After it, since a moving average lags."""
    lr, losses = sweep_with(steepest_at)
    assert 1e-3 <= finder.RULES[name](lr, losses) <= 1e-2


def test_minimum_is_a_tenth_of_the_rate_of_the_lowest_smoothed_loss(finder):
    lr, losses = sweep_with(lambda x: 1 + (x + 2) ** 2)
    found = finder.RULES["fastai minimum / 10"](lr, losses)
    assert 1e-3 < found <= 1e-1
    assert any(found == pytest.approx(rate / 10, rel=1e-12) for rate in lr)


def test_rules_are_silent_where_there_are_no_losses(finder):
    lr = np.geomspace(1e-6, 10, 400)
    silent = {name for name, rule in finder.RULES.items() if rule(lr, np.full(400, np.nan)) is None}
    assert silent == set(finder.RULES) - {"pytorch-lr-finder"}


def test_page_names_no_place_of_this_machine():
    assert not re.search(r"/(tmp|work|home)/", (benchmark_scripts.FOLDER / "finder.md").read_text())
