"""Figures, by what is drawn on them: artists are read back, no image is compared."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import samples
from hypothesis import assume, given, settings
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from schedule_strategies import ANY, RUN, valid

from lrlab import schedules
from lrlab.analysis import summaries
from lrlab.config import Experiment, parse
from lrlab.errors import ResultsError, UsageError
from lrlab.finder import sweep
from lrlab.finder.suggestion import suggest
from lrlab.io import atomic
from lrlab.plots import canvas, comparison_figures, dispatch, schedule_figure, sweep_figure
from lrlab.plots.comparison_figures import Curves
from lrlab.results import comparison, run_folder, sweep_record
from lrlab.results.run import EpochResult, RunPlace, RunResult, Status
from lrlab.results.run_folder import RunOrigin
from lrlab.results.sweep_record import SweepSettings
from lrlab.schedules import Length

STEPS_PER_EPOCH = 4


def refuse(text):
    raise AssertionError(text)


MAGIC = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-"}


def run(seed: int, *, factor: float = 0.5, epochs: int = 3, last_loss: float = 0.4) -> RunResult:
    """A run whose rate falls by `factor`, whose accuracy grows by 0.1 an epoch, 0.02 a seed."""
    rates = 0.1 * factor ** np.arange(epochs)
    return RunResult(
        Status.DONE,
        tuple(
            EpochResult(
                epoch,
                float(rates[epoch]),
                loss=1.0 - 0.1 * epoch,
                accuracy=0.5 + 0.1 * epoch + 0.02 * seed,
                val_loss=last_loss + 0.1 * (epochs - 1 - epoch),
                val_accuracy=0.4 + 0.1 * epoch + 0.02 * seed,
            )
            for epoch in range(epochs)
        ),
        lr=np.repeat(rates, STEPS_PER_EPOCH).astype(np.float32),
        loss=np.linspace(2, 1, STEPS_PER_EPOCH * epochs, dtype=np.float32),
        test_accuracy=0.8,
        train_seconds=1.0,
    )


def curves(name: str, index: int, results) -> Curves:
    return Curves(name, index, STEPS_PER_EPOCH, results)


@pytest.fixture
def ax():
    return canvas.figure()[1][0]


@pytest.fixture
def pair() -> list[Curves]:
    """One experiment that hardly changes its rate, and one whose rate falls by decades."""
    return [
        curves("steady", 0, [run(seed) for seed in range(3)]),
        curves("falling", 1, [run(seed, factor=0.05) for seed in range(3)]),
    ]


def colors(lines) -> list[str]:
    return [to_hex(line.get_color()).upper() for line in lines]


def bands(ax) -> list[tuple[Bbox, str]]:
    """The extents and the colour of each band."""
    return [
        (path.get_extents(), to_hex(color).upper())
        for item in ax.collections
        if isinstance(item, PolyCollection)
        for path, color in zip(item.get_paths(), item.get_facecolor(), strict=True)
    ]


# --- learning rates ---


def test_equal_rates_of_all_seeds_are_one_line(ax, pair):
    comparison_figures.draw_learning_rates(ax, pair)
    assert [line.get_label() for line in ax.lines] == ["steady", "falling"]
    assert colors(ax.lines) == list(canvas.PALETTE[:2])
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(x, np.arange(12) / STEPS_PER_EPOCH)
    assert np.array_equal(y, pair[0].results[0].lr)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "learning rate")


def test_rates_that_span_decades_are_drawn_on_a_logarithmic_axis(ax, pair):
    comparison_figures.draw_learning_rates(ax, pair)
    assert ax.get_yscale() == "log"


def test_rates_of_one_size_are_drawn_from_zero(ax, pair):
    comparison_figures.draw_learning_rates(ax, pair[:1])
    assert (ax.get_yscale(), ax.get_ylim()[0]) == ("linear", 0.0)


def test_rates_that_differ_between_seeds_are_a_line_each_with_one_label(ax):
    closed_loop = curves("performance", 3, [run(0), run(1, factor=0.6), run(2, factor=0.7)])
    comparison_figures.draw_learning_rates(ax, [closed_loop])
    assert colors(ax.lines) == [canvas.PALETTE[3]] * 3
    _, labels = ax.get_legend_handles_labels()
    assert labels == ["performance\n(one line per seed)"]


# --- over epochs ---


@pytest.mark.parametrize("quantity", ["loss", "accuracy", "val_loss", "val_accuracy"])
def test_the_line_is_the_mean_and_the_band_a_deviation(quantity, ax, pair):
    comparison_figures.draw_epochs(ax, pair, quantity)
    values = np.array(pair[0].over_epochs(quantity))
    mean, std = values.mean(axis=0), values.std(axis=0, ddof=1)
    assert [line.get_label() for line in ax.lines] == ["steady", "falling"]
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), mean, rtol=1e-12)
    found = bands(ax)
    assert len(found) == 2
    low, high = found[0][0].get_points()[:, 1]
    assert (low, high) == pytest.approx((min(mean - std), max(mean + std)))
    assert [color for _, color in found] == colors(ax.lines)


def test_one_seed_has_no_band(ax):
    comparison_figures.draw_epochs(ax, [curves("one", 0, [run(0)])], "val_accuracy")
    assert (len(ax.lines), bands(ax)) == (1, [])


def test_a_seed_that_ended_early_is_part_of_the_mean_as_far_as_it_went(ax):
    comparison_figures.draw_epochs(
        ax, [curves("cut", 0, [run(0, epochs=3), run(1, epochs=1)])], "accuracy"
    )
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.51, 0.6, 0.7])
    assert bands(ax)[0][0].x1 == 1


def test_an_experiment_without_an_epoch_stays_in_the_legend(ax):
    dead = RunResult(Status.DIVERGED, lr=np.float32([9]), loss=np.float32([np.nan]), diverged_at=0)
    comparison_figures.draw_epochs(
        ax, [curves("dead", 0, [dead]), curves("well", 1, [run(0)])], "loss"
    )
    assert [line.get_label() for line in ax.lines] == ["dead (no epoch)", "well"]
    assert colors(ax.lines) == list(canvas.PALETTE[:2])


def test_the_legend_tells_how_runs_ended(tmp_path):
    """As the table does; those that ended well stand there by their names alone."""
    bad = samples.summary(samples.run(0.5), samples.COLLAPSED, name="bad")
    made = summaries.compare([bad, samples.summary(samples.run(0.5), samples.run(0.6))])
    results = {
        folder: result
        for e, of in zip(made.experiments, ([samples.run(0.5), samples.COLLAPSED],
                                            [samples.run(0.5), samples.run(0.6)]), strict=True)
        for folder, result in zip(e.runs, of, strict=True)
    }  # fmt: skip
    for figure in comparison_figures.draw(tmp_path, made, results).values():
        labels = [text.get_text() for text in figure.legends[0].get_texts()]
        assert labels == ["bad\n(1 of 2 collapsed)", "power"]


def test_an_exploded_loss_leaves_the_figure_and_that_is_said(ax):
    results = [curves(str(i), i, [run(0)]) for i in range(3)]
    results.append(curves("exploded", 3, [run(0, last_loss=1e6)]))
    comparison_figures.draw_epochs(ax, results, "val_loss")
    usual = 0.6
    low, high = ax.get_ylim()
    assert low <= 0.4
    assert usual < high <= 2 * usual + 1e-9
    assert [text.get_text() for text in ax.texts] == ["some curves leave the figure"]


def test_an_ordinary_loss_is_shown_whole(ax, pair):
    comparison_figures.draw_epochs(ax, pair, "val_loss")
    low, high = ax.get_ylim()
    assert low < 0.4 < 0.6 < high
    assert list(ax.texts) == []


def test_nine_experiments_are_told_apart():
    styles = [canvas.line_style(index) for index in range(9)]
    assert len({(style["color"], style["linestyle"]) for style in styles}) == 9


# --- many experiments ---


def many(count: int) -> list[Curves]:
    return [curves(f"e{index:03}", index, [run(0), run(1)]) for index in range(count)]


def entries(made: Figure) -> list[str]:
    (legend,) = made.legends
    return [text.get_text() for text in legend.get_texts()]


@pytest.mark.parametrize(
    ("count", "last"),
    [
        (16, ["e014", "e015"]),
        (20, ["e018", "e019"]),
        (32, ["e022", "and 9 more"]),
        (40, ["e021", "and 10 more", "8 others, in grey"]),
    ],
)
def test_a_legend_shows_as_many_as_fit(count, last):
    made, (ax, _) = canvas.figure(panels=2)
    comparison_figures.draw_epochs(ax, many(count), "loss")
    canvas.legend(made, ax)
    shown = entries(made)
    assert shown[-len(last) :] == last
    assert shown[0] == "e000"
    made.draw_without_rendering()
    box = made.legends[0].get_window_extent()
    assert box.y0 >= 0
    assert box.x1 <= made.bbox.x1 + 1
    assert ax.get_window_extent().width > 0.3 * made.bbox.width


def test_experiments_without_a_style_of_their_own_are_grey_and_behind(ax):
    comparison_figures.draw_epochs(ax, many(40), "val_loss")
    named = [line for line in ax.lines if len(line.get_xdata())]
    assert len(named) == canvas.TOLD_APART == len(bands(ax)) == 32
    (grey,) = [item for item in ax.collections if isinstance(item, LineCollection)]
    assert len(grey.get_segments()) == 8
    np.testing.assert_allclose(grey.get_segments()[0][:, 1], [0.6, 0.5, 0.4], rtol=1e-12)
    assert to_hex(grey.get_color()[0]) == canvas.GREY
    assert grey.get_zorder() < named[0].get_zorder()


def test_rates_of_experiments_without_a_style_are_drawn_once_where_they_are_equal(ax):
    comparison_figures.draw_learning_rates(ax, many(33))
    (grey,) = [item for item in ax.collections if isinstance(item, LineCollection)]
    assert len(grey.get_segments()) == 1
    assert "1 other, in grey" in [line.get_label() for line in ax.lines]


@pytest.mark.parametrize("length", [4_001, 17_190, 100_003])
def test_a_thinned_line_keeps_every_peak(length):
    rng = np.random.default_rng(length)
    x, y = np.arange(length) / 1719, rng.uniform(size=length).astype(np.float32)
    y[[length // 3, length - 2]] = 7, -7
    thin_x, thin_y = canvas.thinned(x, y)
    assert len(thin_x) == len(thin_y) <= 2_002
    assert {7, -7} < set(thin_y)
    assert (thin_x[0], thin_x[-1]) == (x[0], x[-1])
    assert np.all(np.diff(thin_x) > 0)
    assert np.array_equal(np.interp(thin_x, x, y).astype(np.float32), thin_y)
    # No point lies outside what is drawn in its column.
    width = -(-length // 1000)
    for start in range(0, length, width):
        column = slice(start, start + width)
        kept = thin_y[(thin_x >= x[column][0]) & (thin_x <= x[column][-1])]
        assert (kept.min(), kept.max()) == (y[column].min(), y[column].max())


def test_a_short_line_is_not_thinned():
    x = np.arange(4_000)
    assert canvas.thinned(x, x)[1] is x


# --- files ---


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """A results directory made by hand: three experiments with two seeds, and a sweep."""
    out = tmp_path_factory.mktemp("results")
    experiments = []
    for name, seeds in {
        "steady": [run(0), run(1)],
        "falling": [run(0, factor=0.05), run(1, factor=0.05)],
        "performance": [run(0), run(1, factor=0.6)],
    }.items():
        config = parse(f"name: {name}\nschedule: {{type: constant, lr: 0.1}}").experiment
        folders = [RunPlace(name, "0" * 10, seed).path for seed in range(len(seeds))]
        for folder, result in zip(folders, seeds, strict=True):
            run_folder.write(out / folder, result, RunOrigin())
        experiments.append(
            summaries.summarise(
                config.model_dump(mode="json"),
                dict(enumerate(seeds)),
                data="hand-made",
                steps_per_epoch=STEPS_PER_EPOCH,
                folders=folders,
            )
        )
    compared = summaries.compare(experiments)
    atomic.write_text(out / comparison.FILE, comparison.to_json(compared))
    sweep_record.write(out, swept())
    return out


def swept(*, explodes: bool = True) -> sweep_record.SweepRecord:
    """A sweep like a real one: from 2.4 down to 0.6, then up to a million."""
    lr = sweep.rates(min_lr=1e-6, max_lr=10, steps=400)
    fall = 2.4 - 1.8 / (1 + (1e-3 / lr) ** 1.5)
    rise = np.minimum((lr / 0.3) ** 6, 1e6) if explodes else 0
    noise = np.random.default_rng(0).normal(scale=0.05, size=(3, 400))
    losses = (fall + rise) * np.exp(noise)
    losses[:, 390:] = np.nan
    found = suggest(lr, losses, chance=np.log(10))
    settings = SweepSettings(
        data="hand-made",
        model="mlp",
        optimizer={"type": "sgd", "momentum": 0.9},
        batch_size=32,
        min_lr=1e-6,
        max_lr=10.0,
        steps=400,
        seeds=3,
    )
    summary = sweep_record.summarise(found, [sweep.StoppedBy.NONFINITE] * 3, settings)
    return sweep_record.SweepRecord(lr, losses, summary)


@pytest.mark.parametrize("kind", canvas.FORMATS)
def test_a_results_directory_is_redrawn_in_every_format(kind, results, tmp_path):
    files = dispatch.plot([results], tmp_path / "first", kind, refuse)
    names = ["learning-rate", "loss", "accuracy", "sweep"]
    assert files == [tmp_path / "first" / f"{name}.{kind}" for name in names]
    assert all(path.read_bytes().startswith(MAGIC[kind]) for path in files)
    record = sweep_record.read(results)
    (again,) = sweep_figure.save(tmp_path / "second", record, kind)
    assert again.read_bytes() == (tmp_path / "first" / f"sweep.{kind}").read_bytes()


def test_figures_name_data_model_seeds_and_units(results):
    figures = comparison_figures.draw(results, comparison.read(results))
    assert figures.keys() == {"learning-rate", "loss", "accuracy"}
    title = figures["learning-rate"].axes[0].get_title(loc="left")
    assert title == "Learning rate · hand-made · mlp · 2 seeds"
    assert figures["loss"].get_suptitle() == "Loss · hand-made · mlp · 2 seeds, mean ± std"
    left, right = figures["loss"].axes
    assert left.get_ylabel() == "loss (cross-entropy, nats)"
    assert (left.get_title(), right.get_title()) == ("training", "validation")
    for figure in figures.values():
        (legend,) = figure.legends
        labels = [text.get_text().split("\n")[0] for text in legend.get_texts()]
        assert labels == ["steady", "falling", "performance"]
        by_label = {h.get_label().split("\n")[0]: h for h in figure.axes[-1].lines}
        drawn = colors([by_label[name] for name in labels])
        assert drawn == list(canvas.PALETTE[:3])


def test_a_figure_stays_clear_of_its_legend(results):
    for figure in comparison_figures.draw(results, comparison.read(results)).values():
        figure.draw_without_rendering()
        legend = figure.legends[0].get_window_extent()
        assert all(not legend.overlaps(ax.get_window_extent()) for ax in figure.axes)
        assert legend.x1 <= figure.bbox.x1 + 1


# --- the sweep ---


def test_a_sweep_shows_raw_and_smoothed_losses_and_the_suggestions(ax):
    record = swept()
    sweep_figure.draw_sweep(ax, record)
    assert ax.get_xscale() == "log"
    _, labels = ax.get_legend_handles_labels()
    summary = record.summary
    assert labels[:3] == ["seed 0", "seed 1", "seed 2"]
    assert f"steady_lr {summary.steady_lr:.3g}\n(constant, decaying)" in labels
    assert f"max_lr {summary.max_lr:.3g}\n(peak of one_cycle)" in labels
    by_label = {line.get_label(): line for line in ax.lines}
    smoothed = by_label["seed 1"].get_ydata()
    np.testing.assert_allclose(smoothed, record.smoothed[1])
    raw = [line for line in ax.lines if np.array_equal(line.get_ydata(), record.losses[1], True)]
    assert colors(raw) == colors([by_label["seed 1"]])
    steady = next(line for label, line in by_label.items() if label.startswith("steady_lr"))
    assert set(steady.get_xdata()) == {summary.steady_lr}


def test_the_y_range_of_a_sweep_is_the_valley_not_the_explosion(ax):
    record = swept()
    assert np.nanmax(record.losses) > 1e4
    sweep_figure.draw_sweep(ax, record)
    low, high = ax.get_ylim()
    assert low < np.nanmin(record.smoothed)
    assert 2.4 < high < 5


def test_a_sweep_without_suggestion_says_why(ax):
    record = swept()
    silent = dict.fromkeys(("steady_lr", "max_lr", "lowest_useful_lr", "highest_stable_lr"))
    silenced = replace(record.summary, meaning="nothing was learned", **silent)
    record = replace(record, summary=silenced)
    sweep_figure.draw_sweep(ax, record)
    assert [text.get_text() for text in ax.texts] == ["no suggestion: nothing was learned"]
    assert ax.get_legend_handles_labels()[1] == [
        "seed 0", "seed 1", "seed 2", "band over seeds"
    ]  # fmt: skip


def test_a_sweep_that_broke_at_once_can_be_drawn(ax):
    record = swept()
    silent = dict.fromkeys(("steady_lr", "max_lr", "lowest_useful_lr", "highest_stable_lr"))
    nothing = np.full_like(record.losses, np.nan)
    sweep_figure.draw_sweep(
        ax, replace(record, losses=nothing, summary=replace(record.summary, **silent))
    )
    assert len(ax.lines) == 6


# --- the preview ---

SCHEDULES = {
    "power": "{type: power, initial_lr: 0.1, s: 1 epochs}",
    "cycle": "{type: one_cycle, max_lr: 0.5}",
    "plateau": "{type: performance, initial_lr: 0.2, monitor: val_accuracy}",
}


def test_a_preview_draws_the_rates_of_every_step(ax):
    experiments = [
        (parse(f"name: {name}\nepochs: 3\nschedule: {text}").experiment, 20)
        for name, text in SCHEDULES.items()
    ]
    schedule_figure.draw_schedules(ax, experiments)
    labels = [line.get_label() for line in ax.lines]
    assert labels == ["power", "cycle", "plateau\n(falls when val_accuracy stalls)"]
    assert colors(ax.lines) == list(canvas.PALETTE[:3])
    for (experiment, _), line in zip(experiments[:2], ax.lines[:2], strict=True):
        np.testing.assert_array_equal(
            line.get_ydata(), schedules.rates(experiment.schedule, Length(20, 3))
        )
    np.testing.assert_allclose(ax.lines[0].get_xdata(), np.arange(60) / 20)
    assert set(ax.lines[2].get_ydata()) == {0.2}
    assert ax.lines[2].is_dashed()
    assert not ax.lines[0].is_dashed()


def test_configs_are_previewed_without_their_data(write_config, tmp_path):
    files = [write_config(f"schedule: {text}", f"{name}.yaml") for name, text in SCHEDULES.items()]
    (figure,) = dispatch.plot(files, tmp_path / "out", "svg", refuse)
    assert figure == tmp_path / "out" / "schedules.svg"
    assert figure.read_bytes().startswith(MAGIC["svg"])


# --- what cannot be drawn ---


def test_what_cannot_be_drawn_is_refused_with_a_remedy(results, write_config, tmp_path):
    good = write_config("schedule: {type: constant, lr: 0.1}")
    (tmp_path / "empty").mkdir()
    cases = [
        (([results], None, "gif"), UsageError, "unknown format `gif`", "png, svg, pdf"),
        (([results, good], None, "png"), UsageError, "together with", "one results directory"),
        (([tmp_path / "empty"], None, "png"), ResultsError, "holds neither", "lrlab compare"),
        (([tmp_path / "none"], None, "png"), ResultsError, "is not a directory", "lrlab compare"),
        (([good], good / "inner", "png"), ResultsError, "cannot be written", "--out"),
    ]
    for arguments, error, message, hint in cases:
        with pytest.raises(error) as caught:
            dispatch.plot(*arguments, refuse)
        assert message in caught.value.message
        assert hint in caught.value.hint


def test_a_damaged_run_is_named(results, tmp_path):
    shutil.copytree(results, tmp_path / "copy")
    (tmp_path / "copy" / "runs" / "falling-0000000000" / "seed-1" / "steps.npz").write_bytes(b"")
    with pytest.raises(ResultsError, match=r"seed-1/steps.npz` is damaged"):
        dispatch.plot([tmp_path / "copy"], None, "png", refuse)


def test_plot_imports_neither_pyplot_nor_tensorflow(results, tmp_path):
    code = (
        "import sys\n"
        "from lrlab import cli\n"
        "try:\n"
        "    cli.main()\n"
        "finally:\n"
        "    print(*sorted(sys.modules), file=sys.stderr)\n"
    )
    shutil.copytree(results, tmp_path / "copy")
    arguments = ["plot", str(tmp_path / "copy"), "--format", "svg"]
    environment = {key: value for key, value in os.environ.items() if key != "MPLBACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    names = ("learning-rate", "loss", "accuracy", "sweep")
    assert done.stdout.splitlines() == [str(tmp_path / "copy" / f"{name}.svg") for name in names]
    assert all((tmp_path / "copy" / f"{name}.svg").exists() for name in names)
    loaded = set(done.stderr.split())
    assert "matplotlib.figure" in loaded
    assert loaded.isdisjoint({"matplotlib.pyplot", "tensorflow", "keras"})


def test_an_experiment_whose_loss_is_nowhere_finite_is_drawn(recwarn):
    broken = RunResult(
        Status.DIVERGED,
        (EpochResult(0, 0.1, 1.0, 0.5, float("nan"), 0.1),),
        np.full(3, 0.1, np.float32),
        np.array([1.0, 1.0, np.nan], np.float32),
        diverged_at=2,
    )
    ax = Figure().subplots()
    comparison_figures.draw_epochs(
        ax, [comparison_figures.Curves("a", 0, 2, [broken, broken])], "val_loss"
    )
    assert [line.get_label() for line in ax.lines] == ["a"]
    assert not recwarn.list


def test_the_band_of_a_sweep_lies_between_the_seeds():
    lr = sweep.rates(min_lr=1e-4, max_lr=1.0, steps=60)
    losses = np.stack([np.full(60, 2.0), np.full(60, 1.0)])
    losses[0, 40:] = np.nan
    silent = dict.fromkeys(("steady_lr", "max_lr", "lowest_useful_lr", "highest_stable_lr"))
    summary = replace(swept().summary, **silent)
    ax = Figure().subplots()
    sweep_figure.draw_sweep(ax, sweep_record.SweepRecord(lr, losses, summary))
    (band,) = [c for c in ax.collections if c.get_label() == "band over seeds"]
    corners = band.get_paths()[0].vertices
    assert (corners[:, 1].min(), corners[:, 1].max()) == pytest.approx((1.0, 2.0), rel=1e-12)
    assert corners[:, 0].max() == lr[39]


# --- the preview's steps, and its curves whatever the schedule ---


def test_a_preview_has_steps_above_the_epochs(write_config, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(canvas, "save", lambda figure, path: made.append(figure))
    for sizes in ((32, 32), (32, 64)):
        files = [
            write_config(f"schedule: {text}\nbatch_size: {size}", f"{name}.yaml")
            for (name, text), size in zip(SCHEDULES.items(), sizes, strict=False)
        ]
        dispatch.plot(files, tmp_path, "png", refuse)
    (above,), none = (figure.axes[0].child_axes for figure in made)
    made[0].draw_without_rendering()
    assert above.get_xlabel() == "step"
    epochs = np.array(made[0].axes[0].get_xlim())
    np.testing.assert_allclose(above.get_xlim(), epochs * 1719, rtol=1e-9)
    labels = [text.get_text() for text in above.get_xticklabels()]
    assert {"0", "5,000", "15,000"} <= set(labels)
    assert none == []


def test_a_logarithmic_axis_does_not_follow_a_decay_to_zero(ax):
    text = "name: x\nepochs: 10\nschedule: {type: cosine, initial_lr: 0.1}"
    schedule_figure.draw_schedules(ax, [(parse(text).experiment, 1000)])
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] == pytest.approx(1e-5)


@settings(max_examples=80, deadline=None)
@given(values=ANY, run_of=RUN)
def test_a_preview_draws_the_rates_whatever_the_schedule(values, run_of):
    (steps_per_epoch, epochs), schedule = run_of, valid(values)
    assume(schedules.rates(schedule, Length(steps_per_epoch, epochs)).max() > 0)
    ax = Figure().subplots()
    what = Experiment(schedule=schedule, epochs=epochs)
    schedule_figure.draw_schedules(ax, [(what, steps_per_epoch)])
    x, y = ax.lines[0].get_data()
    np.testing.assert_array_equal(y, schedules.rates(schedule, Length(steps_per_epoch, epochs)))
    np.testing.assert_array_equal(x, np.arange(steps_per_epoch * epochs) / steps_per_epoch)
