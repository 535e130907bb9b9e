"""The finder benchmark: its stored tasks, and that its page is what they say."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module")
def finder():
    """The benchmark's script as a module."""
    if not FOLDER.is_dir():
        pytest.skip("no benchmarks beside the tests: run them in a checkout")
    sys.path.insert(0, str(FOLDER))
    try:
        spec = importlib.util.spec_from_file_location("finder", FOLDER / "finder.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(FOLDER))
    return module


@pytest.fixture(scope="module")
def held_out(finder):
    verified = json.loads(finder.VERIFIED.read_text())
    return [finder.read(one, verified) for one in json.loads(finder.TASKS.read_text())]


def test_regret_and_spread_over_the_tasks_held_out(finder, held_out):
    assert len(held_out) >= 8
    for kind, rate in (("constant", "steady_lr"), ("one_cycle", "max_lr")):
        lost = [finder.regret(task, kind, getattr(task.found, rate)) for task in held_out]
        assert np.mean(lost) <= 0.4
        assert np.max(lost) <= 1.0
    assert np.mean([task.found.spread <= 2 for task in held_out]) >= 0.9


def test_verified_regret_over_the_tasks_held_out(finder, held_out):
    for kind, name in enumerate(("constant", "one_cycle")):
        lost = [finder.regret(task, name, task.verified[kind]) for task in held_out]
        assert np.mean(lost) <= 0.2


def test_the_page_is_what_the_stored_tasks_say(finder, held_out):
    page = (FOLDER / "finder.md").read_text()
    section = page[page.index(f"## {len(held_out)} tasks, held out") :]
    assert finder.regrets(held_out) in section
    assert finder.each(held_out) in section
    assert finder.gain("held out", held_out) in page


def test_stored_tasks_are_small_and_whole():
    file = FOLDER / "finder_tasks.json"
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
    assert not re.search(r"/(tmp|work|home)/", (FOLDER / "finder.md").read_text())
