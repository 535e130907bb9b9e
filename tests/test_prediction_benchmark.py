"""The benchmark of the predicted rate: its stored runs, and that its page is what they say."""

import json

import benchmark_scripts
import pytest


@pytest.fixture(scope="module")
def prediction():
    """The benchmark's script as a module."""
    return benchmark_scripts.load("prediction")


@pytest.fixture(scope="module")
def stored(prediction):
    return json.loads(prediction.RUNS.read_text())


@pytest.fixture(scope="module")
def tasks(prediction, stored):
    return [prediction.read(name, of) for name, of in stored.items()]


def test_the_page_is_what_the_stored_runs_say(prediction, tasks):
    page = (benchmark_scripts.FOLDER / "prediction.md").read_text()
    assert prediction.overview(tasks) in page
    assert prediction.rules(tasks) in page
    assert prediction.suggested(tasks) in page
    for task in tasks:
        assert prediction.each(task) in page


def test_nothing_is_missing(prediction, stored):
    training = prediction.prediction_training
    assert list(stored) == [task.name for task in training.TASKS]
    for of in stored.values():
        assert list(of["runs"]) == list(training.SCHEDULES)
        assert training._wanted(of) == {}
        for runs in of["runs"].values():
            assert {len(seeds) for seeds in runs.values()} == {training.SEEDS}


def test_it_holds_on_the_convex_task_and_not_on_all(prediction, tasks):
    worst = {task.name: max(map(abs, prediction.off(task).values())) for task in tasks}
    assert worst["linear, sketches, sgd"] < 0.5  # Doublings.
    assert max(worst.values()) > 2


def test_the_best_power_is_the_lowest_point_of_a_parabola(prediction):
    best = prediction.prediction_training.best_power

    def runs(*losses):
        return {str(n): [None if loss is None else [loss, 0.5]] for n, loss in enumerate(losses)}

    assert best(runs(4, 1, 4)) == 1
    assert 1 < best(runs(4, 1, 2)) < 1.5
    assert best(runs(1, 2, 3)) == 0
    assert best(runs(3, 1, None)) == 1
