"""`--until-sure` carried out for real: who goes on, interruptions, repeats, what it refuses."""

import json
from dataclasses import replace

import pytest
from told import Told

from lrlab import config, experiment
from lrlab.errors import Interrupted, UsageError
from lrlab.experiment.asking import Question, UntilSure
from lrlab.report import remarks, tables, verdict
from lrlab.results import comparison, test_openings
from lrlab.results.comparison import FILE

TEXTS = {
    "steady": "schedule: {type: constant, lr: 0.005}\nepochs: 2\n",
    "falling": "schedule: {type: exponential, initial_lr: 0.006, s: 4 epochs}\nepochs: 2\n",
    "slow": "schedule: {type: constant, lr: 0.0004}\nepochs: 2\n",
}
SURE = Question(until_sure=UntilSure(6))


class Listening(Told):
    """Keeps what the looks say, and every run that was trained."""

    def __init__(self, at_plan=lambda: None) -> None:
        super().__init__(at_plan)
        self.looks = []
        self.all_trained = []

    def looking(self, standing, most):
        self.looks.append(standing)

    def planned(self, to_train, reused, resumed, workers):
        self.all_trained += [f"{run.name} {run.seed}" for run in to_train]
        return super().planned(to_train, reused, resumed, workers)


@pytest.fixture
def compare(tmp_path, write_config, small_npz):
    def call(question=SURE, out="out", told=None, texts=TEXTS, **options):
        paths = [write_config(text, f"{name}.yaml") for name, text in texts.items()]
        read = config.read(paths, config.overrides([], data=str(small_npz)))
        told = told or Listening()
        compared, _ = experiment.compare(
            read, out=tmp_path / out, seeds=3, report=told, question=question, **options
        )
        experiment.save(compared, tmp_path / out)
        return compared, told

    return call


def test_only_what_may_be_the_best_goes_on(compare, tmp_path):
    compared, told = compare()
    seeds = {e.name: len(e.seeds) for e in compared.experiments}
    assert seeds == {"steady": 6, "falling": 6, "slow": 3}
    assert [look.wanted for look in told.looks] == [3, 6, None]
    assert told.looks[1].undecided == ("steady", "falling")
    assert len(told.all_trained) == len(set(told.all_trained)) == 15
    assert compared.looks == comparison.Looks((3, 6), "val_accuracy", None)
    titles, rows = tables.table(compared)
    assert [row[titles.index("seeds")][0] for row in rows] == ["6", "6", "3"]
    assert "over 3 to 6 seeds" in tables.caption(compared, "*")
    said = remarks.remarks(compared, verdict.usual(compared))[0]
    assert said == (
        "still open after 6 seeds, the most allowed: steady and falling are too close; `--within "
        "POINTS` says which differences do not matter; 15 runs, where 6 seeds for all would be 18"
    )
    kept = json.loads((tmp_path / "out" / FILE).read_text())["verdict"]
    assert kept["alpha_of_a_look"] == pytest.approx(0.025)
    assert kept["looks"][0]["stopped"] == ["slow"]
    assert kept["ended"] == "the most seeds are reached"


def test_again_it_trains_nothing_and_gives_the_same_files(compare, tmp_path):
    compare()
    files = ("comparison.json", "comparison.md", "comparison.csv", test_openings.FILE)
    before = {name: (tmp_path / "out" / name).read_bytes() for name in files}
    _, told = compare()
    assert told.all_trained == []
    assert {name: (tmp_path / "out" / name).read_bytes() for name in files} == before


def test_interrupted_at_any_round_it_goes_the_same_way(compare, tmp_path):
    whole, _ = compare(out="whole")
    rounds = 0

    def stop_at(number):
        def at_plan():
            nonlocal rounds
            rounds += 1
            if rounds == number:
                raise KeyboardInterrupt

        return at_plan

    for number in (1, 2):
        rounds = 0
        with pytest.raises((Interrupted, KeyboardInterrupt)):
            compare(told=Listening(stop_at(number)))
    resumed, _ = compare()

    def values(compared):
        return [(e.name, e.seeds, e.final["val_accuracy"].values) for e in compared.experiments]

    assert values(resumed) == values(whole)
    assert verdict.of(resumed, verdict.usual(resumed)) == verdict.of(whole, verdict.usual(whole))


def test_runs_that_are_there_already_do_not_change_the_way(compare):
    compare(Question(), seeds_before := "out")
    more, told = compare(out=seeds_before)
    assert [len(e.seeds) for e in more.experiments] == [6, 6, 3]
    assert len(told.all_trained) == 6


def test_a_tolerance_ends_it(compare):
    compared, _ = compare(Question(until_sure=UntilSure(6, points=40)))
    assert compared.looks.within == pytest.approx(0.4)
    said = remarks.remarks(compared, verdict.usual(compared))[0]
    assert said.startswith("decided after 3 seeds: those left differ by 40.0 points at most")


def test_an_experiment_that_never_finishes_stops_after_the_first_look(compare):
    wild = "schedule: {type: constant, lr: 1e6}\noptimizer: {type: sgd}\nepochs: 2\n"
    compared, _ = compare(texts=TEXTS | {"wild": wild})
    assert {e.name: len(e.seeds) for e in compared.experiments}["wild"] == 3


REFUSED = {
    "one experiment": (
        {"texts": {"steady": TEXTS["steady"]}},
        "`--until-sure` compares experiments, and there is only one",
    ),
    "by the test set": (
        {"question": replace(SURE, metric="test_accuracy")},
        "`--until-sure` cannot go by test accuracy: looking at the test set until it decides",
    ),
    "no such metric": ({"question": Question(metric="f1")}, "unknown metric `f1`"),
    "a target of the test set": (
        {"question": Question(target="test_accuracy=0.9")},
        "`--target` must be a validation result, got `test_accuracy`",
    ),
    "a target that is no number": (
        {"question": Question(target="val_accuracy=high")},
        "`--target` must be `METRIC=VALUE` or `METRIC=auto`, got `val_accuracy=high`",
    ),
    "a target in percent": (
        {"question": Question(target="val_accuracy=90")},
        "`--target`: val accuracy is between 0 and 1, got 90",
    ),
}


@pytest.mark.parametrize(("given", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_anything_is_trained(compare, given, said, tmp_path):
    told = Listening()
    with pytest.raises(UsageError) as refused:
        compare(**given, told=told)
    assert said in refused.value.message
    assert told.all_trained == []
    assert not (tmp_path / "out" / "runs").exists()


@pytest.mark.parametrize(("most", "points"), [(2, None), (24, 0), (24, float("nan")), (24, -1.0)])
def test_limits_that_cannot_be_meant(most, points):
    with pytest.raises(UsageError, match="must be"):
        UntilSure(most, points)


def test_different_data_are_refused(tmp_path, write_config, small_npz):
    other = tmp_path / "other.npz"
    other.write_bytes(small_npz.read_bytes())
    import numpy as np

    with np.load(small_npz) as arrays:
        np.savez_compressed(other, **{**arrays, "x_test": 255 - arrays["x_test"]})
    paths = [
        write_config(f"{TEXTS['steady']}data: {data}\n", f"{name}.yaml")
        for name, data in (("a", small_npz), ("b", other))
    ]
    with pytest.raises(UsageError, match="needs experiments on the same data"):
        experiment.compare(
            config.read(paths), out=tmp_path / "out", seeds=3, report=Told(), question=SURE
        )


def test_fresh_trains_only_what_the_looks_ask_for(compare):
    compare()
    _, told = compare(fresh=True)
    assert len(told.all_trained) == 15
