"""`lrlab tune` carried out for real, and searches with pretended runs: budgets, seeds, files."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from samples import run, summary
from told import Told
from typer.testing import CliRunner

from lrlab import config, experiment
from lrlab.analysis import summaries, tuning_summary
from lrlab.cli import app
from lrlab.config import parse, written
from lrlab.errors import Interrupted, ResultsError, UsageError
from lrlab.experiment import reporting, searching, tuning
from lrlab.experiment.searching import Searched, Seeds, Start
from lrlab.experiment.tuning import Effort
from lrlab.finder.rate_search import Search, Tolerance
from lrlab.metric import ACCURACY
from lrlab.plots import dispatch, sensitivity_figure
from lrlab.report import tuning_tables
from lrlab.results import tuning_record
from lrlab.results.inspection import directory
from lrlab.results.run import EpochResult, RunResult, Status
from lrlab.schedules import SCHEDULES
from lrlab.tasks import data
from lrlab.tasks.wanted import Wanted

TEXTS = {
    "steady": "schedule: {type: constant, lr: 0.5}\nepochs: 2\n",
    "falling": "schedule: {type: cosine, initial_lr: auto}\nepochs: 2\n",
    "plateau": "schedule: {type: performance, initial_lr: 0.01, patience: 1}\nepochs: 2\n",
}
SMALL = Effort(budget=9, seeds=3)


class Counting(Told):
    """Keeps every run that was trained, and how far searches are."""

    def __init__(self, at_plan=lambda: None):
        super().__init__(at_plan)
        self.all_trained, self.searched = [], []

    def searching(self, done, most):
        self.searched.append((done, most))

    def planned(self, to_train, reused, resumed, workers):
        self.all_trained += [str(run) for run in to_train]
        return super().planned(to_train, reused, resumed, workers)


@pytest.fixture
def tune(tmp_path, write_config, small_npz):
    def call(told=None, texts=TEXTS, out="out", **options):
        paths = [write_config(text, f"{name}.yaml") for name, text in texts.items()]
        read = config.read(paths, config.overrides([], data=str(small_npz)))
        told = told or Counting()
        options = {"effort": SMALL, **options}
        found, best = experiment.tune(read, out=tmp_path / out, report=told, **options)
        experiment.save_tuning(found, tmp_path / out)
        return found, best, told

    return call


def test_each_schedule_gets_its_own_rate_with_as_many_runs_and_nothing_is_done_twice(
    tune, tmp_path, small_npz
):
    found, best, told = tune()
    (horizon,) = found.horizons
    assert [tuned.used for tuned in horizon.schedules] == [9, 9, 9]
    assert len(told.all_trained) == 27
    assert told.searched[0] == (0, 27)
    for tuned in horizon.schedules:
        assert tuned.trouble is None
        searched = {seed for at in tuned.tried for seed in at.seeds}
        assert tuned.best.fresh.seeds == (0, 1, 2)
        assert searched
        assert not searched & {0, 1, 2}
        assert tuned.best.lr in [at.lr for at in tuned.tried]
        assert tuned.suggested_lr in [at.lr for at in tuned.tried]
    assert found.finished

    files = (tuning_record.FILE, *tuning_record.TABLES)
    before = {name: (tmp_path / "out" / name).read_bytes() for name in files}
    again, _, told = tune()
    assert told.all_trained == []
    assert again == found == tuning_record.read(tmp_path / "out")
    assert {name: (tmp_path / "out" / name).read_bytes() for name in files} == before
    assert directory.inspect(tmp_path / "out").findings == ()

    folder = tmp_path / "elsewhere" / "tuned"
    paths = experiment.write_configs(found, best, folder)
    told = Counting()
    compared, _ = experiment.compare(config.read(paths), out=tmp_path / "out", seeds=3, report=told)
    assert told.all_trained == []
    for e, tuned in zip(compared.experiments, horizon.schedules, strict=True):
        assert e.final["val_accuracy"].values == tuned.best.fresh.values
        assert e.peak_lr == pytest.approx(tuned.best.lr, rel=1e-6)


def test_a_search_that_was_cut_off_goes_the_same_way(tune):
    less = {"texts": {"falling": TEXTS["falling"]}, "effort": Effort(budget=8, seeds=3)}
    whole, _, _ = tune(out="whole", **less)
    rounds = 0

    def stop_at(number):
        def at_plan():
            nonlocal rounds
            rounds += 1
            if rounds == number:
                raise KeyboardInterrupt

        return at_plan

    for _ in range(2):  # Each time one round further.
        rounds = 0
        with pytest.raises((Interrupted, KeyboardInterrupt)):
            tune(Counting(stop_at(2)), **less)
    resumed, _, last = tune(**less)
    values = [
        [(t.name, at.lr, at.seeds, at.values) for t in of.horizons[0].schedules for at in t.runs]
        for of in (whole, resumed)
    ]
    assert values[0] == values[1]
    assert 0 < len(last.all_trained) < 8


@pytest.mark.slow
def test_several_budgets_of_training(tune, tmp_path):
    texts = {name: TEXTS[name] for name in ("steady", "falling")}
    found, best, _ = tune(texts=texts, epochs=[1, 3], effort=Effort(budget=8, seeds=3))
    assert [horizon.epochs for horizon in found.horizons] == [1, 3]
    for horizon in found.horizons:
        assert {tuned.config["epochs"] for tuned in horizon.schedules} == {horizon.epochs}
        assert [tuned.used for tuned in horizon.schedules] == [8, 8]
    titles, rows = tuning_tables.budget_table(found)
    assert titles == ["experiment", "1 epochs", "3 epochs"]
    assert [row[0][0] for row in rows] == ["steady", "falling"]
    figures = sensitivity_figure.draw(found)
    assert list(figures) == ["sensitivity-1-epochs", "sensitivity-3-epochs", "budget"]
    (ax,) = figures["budget"].axes
    dots = [line for line in ax.lines if line.get_gid() == "seeds"]
    assert sum(len(line.get_ydata()) for line in dots) == 2 * 2 * 3
    paths = experiment.write_configs(found, best, tmp_path / "w")
    assert paths[0] == tmp_path / "w" / "1-epochs" / "steady.yaml"
    sensitivity_figure.save(tmp_path / "out", found)
    assert directory.inspect(tmp_path / "out").findings == ()


# --- searches with pretended runs ---


def pretended(name, score, source, out):
    """Return a search of 20 runs around 0.01, and what its runs give: `score(doublings, seed)`."""
    text = f"name: {name}\nschedule: {{type: constant, lr: 0.02}}\nepochs: 2\n"
    start = Start(parse(text), source, 0.01)
    search = Search(17, Tolerance(0.005))
    return Searched(start, search, Seeds(count=3), ACCURACY.on("val"), out), score


def carried(pairs, told=None):
    scores = {searched.name: score for searched, score in pairs}

    def carry(runs):
        return {run: _result(scores[run.name](np.log2(run.rate / 0.01), run.seed)) for run in runs}

    searching.carry_out([searched for searched, _ in pairs], carry, told or Counting())
    return [searched.tuned() for searched, _ in pairs]


def _result(value):
    if isinstance(value, Status):
        return RunResult(value, error="out of memory" if value is Status.FAILED else None)
    epoch = EpochResult(1, 0.1, 0.5, 0.5, 1 - value, value)
    loss = np.array([2.3], np.float32)
    return RunResult(Status.DONE, (epoch,), loss, loss)


@pytest.fixture
def source(small_npz):
    return data.resolve(Wanted.of(str(small_npz)), None, print)


def noisy(best, seed):
    noise = np.random.default_rng(seed).normal(0, 0.002, (60, 2000))
    return lambda step, number: 0.9 - 0.004 * (step - best) ** 2 + noise[round(step), number]


def test_what_breaks_down_at_every_rate_says_so_and_does_not_stop_the_others(source, tmp_path):
    pairs = [
        pretended("good", noisy(1, 0), source, tmp_path),
        pretended("bad", lambda _step, _seed: Status.DIVERGED, source, tmp_path),
        pretended("other", noisy(-3, 1), source, tmp_path),
    ]
    good, bad, other = carried(pairs)
    assert (good.used, other.used) == (20, 20)
    assert 0.015 < good.best.lr < 0.025
    assert 0.001 < other.best.lr < 0.0016
    assert bad.best is None
    assert bad.used <= 17
    assert bad.trouble.startswith("no run survived at any rate from ")
    assert bad.trouble.endswith(f"({bad.used} diverged)")
    found = tuning_of([good, bad, other])
    assert not found.finished
    assert tuning_tables.first_line(found.horizons[0], ACCURACY.on("val")).startswith(
        "each at its best rate: "
    )
    text = tuning_tables.to_markdown(found)
    assert f"bad: {bad.trouble}" in text
    titles, rows = tuning_tables.table(found.horizons[0], ACCURACY.on("val"))
    assert rows[1][titles.index("best rate")][0] == "-"


def test_runs_that_fail_are_told_with_their_reason(source, tmp_path):
    (only,) = carried([pretended("only", lambda _s, _n: Status.FAILED, source, tmp_path)])
    assert only.trouble.endswith("failed): out of memory")
    assert {status for at in only.tried for status in at.statuses} == {Status.FAILED}


def test_diverged_rates_are_kept_and_marked(source, tmp_path):
    def cliff(step, seed):
        return Status.DIVERGED if step > 2.5 else noisy(1, 2)(step, seed)

    (tuned,) = carried([pretended("cliff", cliff, source, tmp_path)])
    broken = [at for at in tuned.tried if not at.survived]
    assert broken
    assert broken[-1].statuses == (Status.DIVERGED,)
    assert broken[-1].values == (None,)
    figure = sensitivity_figure.draw(tuning_of([tuned]))["sensitivity"]
    gids = [line.get_gid() for line in figure.axes[0].lines]
    assert gids.count("broke down") == len(broken)
    assert gids.count("best") == gids.count("find-lr") == 1
    dots = [line for line in figure.axes[0].lines if line.get_gid() == "fresh"]
    np.testing.assert_array_equal(dots[0].get_ydata(), tuned.best.fresh.values)


def test_fresh_seeds_undo_the_optimism_of_the_search(source, tmp_path):
    """All rates are equal: what the search saw at its best one is luck."""
    rng = np.random.default_rng(11)
    noise = rng.normal(0, 0.003, (20, 80, 2000))
    pairs = [
        pretended(
            f"r{index}", lambda step, seed, index=index: 0.8 + noise[index, round(step), seed],
            source, tmp_path,
        )
        for index in range(20)
    ]  # fmt: skip
    found = carried(pairs)
    fresh = np.array([tuned.best.fresh.mean for tuned in found]) - 0.8
    seen = np.array([tuned.best.seen for tuned in found]) - 0.8
    assert abs(fresh.mean()) < 2 * fresh.std(ddof=1) / np.sqrt(20)
    assert seen.mean() > 3 * seen.std(ddof=1) / np.sqrt(20)


def tuning_of(schedules):
    return tuning_record.Tuning(
        data="small.npz", models=("mlp",), decides="val_accuracy", budget=20, tolerance=0.005,
        relative=False, horizons=(tuning_summary.horizon(None, schedules, 2.3),),
    )  # fmt: skip


# --- files ---


@pytest.mark.parametrize("name", SCHEDULES)
def test_written_configs_read_back_as_the_same_experiment(name, tmp_path):
    text = SCHEDULES[name].entry.example.replace("epochs:", "data: sets/a.npz\nepochs:")
    folder = tmp_path / "tuned"
    (tmp_path / "x.yaml").write_text(text)
    first = config.read([tmp_path / "x.yaml"])[0].experiment
    scaled = first.model_copy(update={"schedule": first.schedule.times(0.3571)})
    folder.mkdir()
    (folder / "x.yaml").write_text(written.text(scaled, folder))
    again = config.read([folder / "x.yaml"])[0].experiment
    same = {"data": None}
    assert again.model_copy(update=same) == scaled.model_copy(update=same)
    assert (folder / again.data).resolve() == (tmp_path / "sets" / "a.npz").resolve()


def test_csv_has_a_row_for_every_run(source, tmp_path):
    tuned = carried([pretended("a", noisy(1, 0), source, tmp_path)])
    rows = list(csv.DictReader(tuning_tables.to_csv(tuning_of(tuned)).splitlines()))
    assert len(rows) == 20
    assert sum(row["fresh"] == "True" for row in rows) == 3
    assert {row["lr"] for row in rows if row["fresh"] == "True"} == {str(tuned[0].best.lr)}


def test_a_damaged_record_is_found_and_told(source, tmp_path):
    found = tuning_of(carried([pretended("a", noisy(1, 0), source, tmp_path)]))
    tuning.save_tuning(found, tmp_path)
    assert tuning_record.read(tmp_path) == found
    text = (tmp_path / "tuning.json").read_text()
    (tmp_path / "tuning.json").write_text(text.replace('"budget": 20', '"budget": 21'))
    with pytest.raises(ResultsError, match="signature"):
        tuning_record.read(tmp_path)
    (tmp_path / "tuning.json").write_text(text)
    (tmp_path / "tuning.csv").write_text("a,b\n")
    told = {f.path.name: f.what for f in directory.inspect(tmp_path).findings}
    assert told["tuning.csv"] == "is damaged: its checksum is not the one in tuning.json"
    assert any("is missing, but `tuning.json` names it" in what for what in told.values())


def test_a_record_whose_runs_lead_elsewhere_is_refused(source, tmp_path):
    (tuned,) = carried([pretended("a", noisy(1, 0), source, tmp_path)])
    at = replace(tuned.tried[0], runs=("../../etc",) * len(tuned.tried[0].seeds))
    wrong = tuning_of([replace(tuned, tried=(at, *tuned.tried[1:]))])
    tuning_record.write(tmp_path, wrong, {}, ())
    with pytest.raises(ResultsError, match="must be the folder of each seed"):
        tuning_record.read(tmp_path)


def test_plot_draws_it_again(source, tmp_path):
    tuning.save_tuning(
        tuning_of(carried([pretended("a", noisy(1, 0), source, tmp_path)])), tmp_path
    )
    drawn = dispatch.plot([tmp_path], None, "svg", print)
    assert [path.name for path in drawn] == ["sensitivity.svg"]


def test_the_report_shows_it_alone_and_beside_a_comparison(source, tmp_path):
    found = tuning_of(carried([pretended("a", noisy(1, 0), source, tmp_path)]))
    tuning.save_tuning(found, tmp_path)
    alone = reporting.write_again(tmp_path).read_text(encoding="utf-8")
    experiment.save(summaries.compare([summary(run(0.5)), summary(run(0.6), name="b")]), tmp_path)
    beside = reporting.write_again(tmp_path).read_text(encoding="utf-8")
    said = tuning_tables.first_line(found.horizons[0], ACCURACY.on("val"))
    for text in (alone, beside):
        assert f'<p class="lead">{said}</p>' in text
        assert 'alt="Figure: Accuracy over the peak learning rate' in text
    assert "Final results" in beside


def test_show_prints_it_and_says_where_a_better_rate_may_lie(source, tmp_path):
    pairs = [
        pretended("inside", noisy(1, 0), source, tmp_path),
        pretended("rising", lambda step, _seed: 0.5 + 0.01 * step, source, tmp_path),
    ]
    found = tuning_of(carried(pairs))
    tuning.save_tuning(found, tmp_path)
    done = CliRunner().invoke(app, ["show", str(tmp_path)])
    assert done.exit_code == 0
    assert tuning_tables.first_line(found.horizons[0], ACCURACY.on("val")) in done.stdout
    (trouble,) = tuning_tables.troubles(found.horizons[0])
    assert trouble.startswith("rising: its best rate is the highest that was tried")
    assert trouble in done.stdout
    told = json.loads(CliRunner().invoke(app, ["show", str(tmp_path), "--json"]).stdout)
    assert told["budget"] == 20


# --- what is refused ---

REFUSED = {
    "a small budget": (["--budget", "6"], "`--budget` must be at least 8 runs per schedule"),
    "no tolerance": (["--points", "0"], "`--points` must be a number above 0"),
    "no epochs": (["--epochs", "3,x"], "`--epochs` must be whole numbers of at least 1"),
    "epochs twice": (["--epochs", "3,3"], "`--epochs` names a number twice"),
    "the test set": (["--metric", "test_accuracy"], "uses the test set up"),
}


@pytest.mark.parametrize(("options", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_before_anything_is_trained(options, message, write_config, small_npz, tmp_path):
    path = write_config(TEXTS["steady"])
    out = tmp_path / "out"
    given = ["tune", str(path), "--data", str(small_npz), "--out", str(out), *options]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 2
    assert message in done.stderr
    assert not (out / "runs").exists()


def test_write_replaces_no_config_of_somebody_else(write_config, small_npz, tmp_path):
    path = write_config(TEXTS["steady"])
    given = ["tune", str(path), "--data", str(small_npz), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*given, "--write", str(path.parent)])
    assert done.exit_code == 2
    assert f"would replace `{path}`" in done.stderr
    assert path.read_text() == TEXTS["steady"]


def test_several_data_sets_are_refused(write_config, small_npz, tmp_path):
    read = config.read(
        [
            write_config(TEXTS["steady"] + f"data: {small_npz}\n", "a.yaml"),
            write_config(TEXTS["steady"] + "data: sketches\n", "b.yaml"),
        ]
    )
    with pytest.raises(UsageError, match="one data set"):
        experiment.tune(read, out=tmp_path / "out", report=Counting())


def test_json_is_one_document(write_config, small_npz, tmp_path):
    paths = [str(write_config(TEXTS[name], f"{name}.yaml")) for name in ("steady", "falling")]
    given = ["tune", *paths, "--data", str(small_npz), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*given, "--budget", "8", "--json"])
    assert done.exit_code in (0, 1)
    told = json.loads(done.stdout)
    assert told["budget"] == 8
    assert len(told["horizons"][0]["schedules"]) == 2
    assert set(told["verdicts"][0]) >= {"best_set", "behind"}
    kept = json.loads((tmp_path / "out" / "tuning.json").read_text())
    assert {key: kept[key] for key in told} == told
