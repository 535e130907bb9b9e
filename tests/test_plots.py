"""Figures, by what is drawn on them: artists are read back, no image is compared."""

import itertools
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
from hypothesis import strategies as st
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from schedule_strategies import ANY, RUN, valid

from lrlab import palette, schedules
from lrlab.analysis import epoch_means, summaries, thinning
from lrlab.analysis.drawn_runs import Curves
from lrlab.analysis.summaries import over_seeds
from lrlab.config import Experiment, parse
from lrlab.errors import ResultsError, UsageError
from lrlab.finder import landmarks, sweep
from lrlab.finder.suggestion import suggest
from lrlab.finder.verification import ShortRun
from lrlab.io import atomic
from lrlab.metric import ACCURACY, LOSS
from lrlab.plots import (
    canvas,
    comparison_figures,
    dispatch,
    epoch_panel,
    final_panel,
    layout,
    legends,
    rate_panel,
    scales,
    schedule_figure,
    sweep_figure,
)
from lrlab.plots.final_panel import Row
from lrlab.results import comparison, run_folder, sweep_record
from lrlab.results.run import EpochResult, RunPlace, RunResult, Status
from lrlab.results.run_folder import RunOrigin
from lrlab.results.sweep_record import SweepSettings, Verified
from lrlab.schedules import Length

STEPS_PER_EPOCH = 4
Q = {q.key: q for q in (LOSS, ACCURACY, LOSS.on("val"), ACCURACY.on("val"))}


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
                score=0.5 + 0.1 * epoch + 0.02 * seed,
                val_loss=last_loss + 0.1 * (epochs - 1 - epoch),
                val_score=0.4 + 0.1 * epoch + 0.02 * seed,
            )
            for epoch in range(epochs)
        ),
        lr=np.repeat(rates, STEPS_PER_EPOCH).astype(np.float32),
        loss=np.linspace(2, 1, STEPS_PER_EPOCH * epochs, dtype=np.float32),
        test_score=0.8,
        train_seconds=1.0,
    )


def curves(name: str, index: int, results) -> Curves:
    return Curves.of(name, index, STEPS_PER_EPOCH, results)


def drawn_again(out, compared, results=None, width=None) -> dict[str, Figure]:
    """The figures of a comparison, as `plot` draws them."""
    read = comparison_figures.read_curves(out, compared, results or {})
    return comparison_figures.draw(compared, read, width)


@pytest.fixture
def ax():
    return Figure().subplots()


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
    rate_panel.draw_learning_rates(ax, pair)
    assert [line.get_label() for line in ax.lines] == ["steady", "falling"]
    assert colors(ax.lines) == list(palette.PALETTE[:2])
    x, y = ax.lines[0].get_data()
    np.testing.assert_allclose(x, np.arange(12) / STEPS_PER_EPOCH)
    assert np.array_equal(y, run(0).lr)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "learning rate")


def test_rates_that_span_decades_are_drawn_on_a_logarithmic_axis(ax, pair):
    rate_panel.draw_learning_rates(ax, pair)
    assert ax.get_yscale() == "log"


def test_rates_of_one_size_are_drawn_from_zero(ax, pair):
    rate_panel.draw_learning_rates(ax, pair[:1])
    assert (ax.get_yscale(), ax.get_ylim()[0]) == ("linear", 0.0)


def test_rates_that_differ_between_seeds_are_a_line_each_with_one_label(ax):
    closed_loop = curves("performance", 3, [run(0), run(1, factor=0.6), run(2, factor=0.7)])
    rate_panel.draw_learning_rates(ax, [closed_loop])
    assert colors(ax.lines) == [palette.PALETTE[3]] * 3
    _, labels = ax.get_legend_handles_labels()
    assert labels == ["performance\n(one line per seed)"]


# --- over epochs ---


@pytest.mark.parametrize("quantity", Q.values(), ids=Q)
def test_the_line_is_the_mean_and_the_band_a_deviation(quantity, ax, pair):
    epoch_panel.draw_epochs(ax, pair, quantity)
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
    epoch_panel.draw_epochs(ax, [curves("one", 0, [run(0)])], Q["val_accuracy"])
    assert (len(ax.lines), bands(ax)) == (1, [])


def test_a_seed_that_ended_early_is_part_of_the_mean_as_far_as_it_went(ax):
    epoch_panel.draw_epochs(
        ax, [curves("cut", 0, [run(0, epochs=3), run(1, epochs=1)])], Q["accuracy"]
    )
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.51, 0.6, 0.7])
    assert bands(ax)[0][0].x1 == 1


def test_a_run_without_an_epoch_is_marked_where_it_ended(ax):
    dead = RunResult(Status.DIVERGED, lr=np.float32([9]), loss=np.float32([np.nan]), diverged_at=0)
    epoch_panel.draw_epochs(ax, [curves("dead", 0, [dead]), curves("well", 1, [run(0)])], Q["loss"])
    well, cross = ax.lines
    assert (well.get_label(), cross.get_marker()) == ("well", "X")
    assert colors([cross, well]) == list(palette.PALETTE[:2])
    np.testing.assert_array_equal(cross.get_xydata(), [[1 / STEPS_PER_EPOCH, ax.get_ylim()[1]]])


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
    drawn = drawn_again(tmp_path, made, results)
    legend = drawn["learning-rate"].legends[0].get_texts()
    assert [text.get_text() for text in legend] == ["bad\n(1 of 2 collapsed)", "power"]


def of_runs(tmp_path, **experiments) -> dict[str, Figure]:
    """The figures of experiments, each given as its runs."""
    of_each = [samples.summary(*runs, name=name) for name, runs in experiments.items()]
    results = {
        folder: result
        for e, runs in zip(of_each, experiments.values(), strict=True)
        for folder, result in zip(e.runs, runs, strict=True)
    }
    return drawn_again(tmp_path, summaries.compare(of_each), results)


def test_where_every_run_failed_the_panels_say_so_and_have_no_numbers(tmp_path):
    dead = replace(samples.DIVERGED, epochs=())
    drawn = of_runs(tmp_path, failed=[RunResult(Status.FAILED, error="no rate")], dead=[dead])
    panels = drawn["accuracy"].axes
    said = [[text.get_text() for text in ax.texts] for ax in panels]
    assert said == [["no epoch with a finite value"]] * 2 + [["no run has a result"]]
    assert all(len(ax.get_yticks()) == 0 for ax in panels[:2])
    crosses = [line.get_xdata().tolist() for line in panels[0].lines if line.get_marker() == "X"]
    assert crosses == [[0.0], [2.0]]  # Where it diverged is known.
    assert len(panels[2].get_xticks()) == 0


def test_where_no_run_made_a_step_there_is_no_axis_of_rates(tmp_path):
    failed = RunResult(Status.FAILED, error="no rate")
    (ax,) = of_runs(tmp_path, a=[failed], b=[failed])["learning-rate"].axes
    assert [text.get_text() for text in ax.texts] == ["no run made a step"]
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


def test_an_experiment_that_failed_before_its_first_step_is_in_the_legend(tmp_path):
    failed = RunResult(Status.FAILED, error="no rate")
    drawn = of_runs(tmp_path, failed=[failed], well=[samples.run(0.5, 0.6)])
    legend = drawn["learning-rate"].legends[0].get_texts()
    assert [text.get_text() for text in legend] == ["failed\n(failed)", "well"]


def test_one_epoch_has_one_tick(ax):
    epoch_panel.draw_epochs(ax, [curves("a", 0, [run(0, epochs=1)])], Q["accuracy"])
    assert list(ax.get_xticks()) == [1]


def test_an_exploded_loss_leaves_the_figure_and_that_is_said(ax):
    results = [curves(str(i), i, [run(0)]) for i in range(3)]
    results.append(curves("exploded", 3, [run(0, last_loss=1e6)]))
    epoch_panel.draw_epochs(ax, results, Q["val_loss"])
    usual = 0.6
    low, high = ax.get_ylim()
    assert low <= 0.4
    assert usual < high < 2.2 * usual
    assert [text.get_text() for text in ax.texts] == ["some curves leave the figure"]


def test_an_ordinary_loss_is_shown_whole(ax, pair):
    epoch_panel.draw_epochs(ax, pair, Q["val_loss"])
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
        (32, ["e025", "and 6 more"]),
        (40, ["e024", "and 7 more", "8 others, in grey"]),
    ],
)
def test_a_legend_shows_as_many_as_fit(count, last):
    made, ax = canvas.panel("Loss")
    epoch_panel.draw_epochs(ax, many(count), Q["loss"])
    legends.legend(made, ax)
    shown = entries(made)
    assert shown[-len(last) :] == last
    assert shown[0] == "e000"
    made.draw_without_rendering()
    box = made.legends[0].get_window_extent()
    assert box.y0 >= 0
    assert box.x1 <= made.bbox.x1 + 1
    assert ax.get_window_extent().width > 0.3 * made.bbox.width


def test_experiments_without_a_style_of_their_own_are_grey_and_behind(ax):
    epoch_panel.draw_epochs(ax, many(40), Q["val_loss"])
    named = [line for line in ax.lines if len(line.get_xdata())]
    assert len(named) == palette.TOLD_APART == len(bands(ax)) == 32
    (grey,) = [item for item in ax.collections if isinstance(item, LineCollection)]
    assert len(grey.get_segments()) == 8
    np.testing.assert_allclose(grey.get_segments()[0][:, 1], [0.6, 0.5, 0.4], rtol=1e-12)
    assert to_hex(grey.get_color()[0]) == palette.GREY
    assert grey.get_zorder() < named[0].get_zorder()


def test_rates_of_experiments_without_a_style_are_drawn_once_where_they_are_equal(ax):
    rate_panel.draw_learning_rates(ax, many(33))
    (grey,) = [item for item in ax.collections if isinstance(item, LineCollection)]
    assert len(grey.get_segments()) == 1
    assert "1 other, in grey" in [line.get_label() for line in ax.lines]


@pytest.mark.parametrize("length", [4_001, 17_190, 100_003])
def test_a_thinned_line_keeps_every_peak(length):
    rng = np.random.default_rng(length)
    x, y = np.arange(length) / 1719, rng.uniform(size=length).astype(np.float32)
    y[[length // 3, length - 2]] = 7, -7
    thin_x, thin_y = thinning.thinned(x, y)
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
    assert thinning.thinned(x, x)[1] is x


# --- runs that did not end well, and what cannot be ---


def broken(
    epochs: int = 2, *, at: int | None = None, loss: float = 900.0, status=Status.DIVERGED
) -> RunResult:
    """A run that broke off, with a huge loss before its end."""
    return replace(run(0, epochs=epochs, last_loss=loss), status=status, diverged_at=at)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.DONE])
def test_a_run_that_did_not_end_well_is_a_line_of_its_own_up_to_a_cross(status, ax):
    mixed = curves("mixed", 1, [run(0), run(1), broken(status=status)])
    epoch_panel.draw_epochs(ax, [mixed], Q["val_loss"])
    mean, line, cross = ax.lines
    np.testing.assert_allclose(mean.get_ydata(), [0.6, 0.5, 0.4], rtol=1e-12)
    np.testing.assert_allclose(line.get_ydata(), [900.1, 900.0])
    assert line.get_linewidth() < mean.get_linewidth()
    assert colors([line, cross]) == [palette.PALETTE[1]] * 2
    low, high = ax.get_ylim()
    assert 0.3 < low < 0.4 < 0.6 < high < 0.7
    np.testing.assert_allclose(cross.get_xydata(), [[2.0, high]])
    (band,) = bands(ax)
    assert band[0].y1 < 0.7


def test_what_a_run_did_after_it_diverged_is_not_drawn(ax):
    experiment = curves("on", 0, [broken(epochs=3, at=2 * STEPS_PER_EPOCH - 2)])
    epoch_panel.draw_epochs(ax, [experiment, curves("well", 1, [run(0)])], Q["accuracy"])
    line, cross = ax.lines[0], ax.lines[-1]
    assert line.get_xdata().tolist() == [1]
    assert cross.get_xdata().tolist() == [(2 * STEPS_PER_EPOCH - 1) / STEPS_PER_EPOCH]
    assert 0 < cross.get_ydata()[0] < 1


def test_a_figure_in_which_all_diverged_shows_them(ax):
    epoch_panel.draw_epochs(ax, [curves("a", 0, [broken(loss=3.0)]), curves("b", 1, [])], Q["loss"])
    low, high = ax.get_ylim()
    assert low < 0.9 < 1.0 < high < 1.1


def test_the_rates_of_a_run_that_broke_off_add_no_line_and_are_marked(ax):
    short = replace(broken(), lr=run(0).lr[:5])
    rate_panel.draw_learning_rates(ax, [curves("cut", 2, [run(0), short])])
    line, cross = ax.lines
    assert line.get_label() == "cut\n(1 of 2 diverged)"
    np.testing.assert_allclose(cross.get_xydata(), [[5 / STEPS_PER_EPOCH, run(0).lr[4]]])


VALUES = st.lists(
    st.lists(st.floats(0, 1e9) | st.just(np.nan), min_size=3, max_size=3), min_size=1, max_size=4
)


@given(values=VALUES, quantity=st.sampled_from(list(Q.values())))
def test_a_band_stays_in_the_range_that_is_possible(values, quantity):
    arrays = np.array(values)
    if quantity.points:
        arrays = arrays / 1e9
    of = epoch_means.epoch_mean(list(arrays), quantity)
    least, greatest = epoch_means.possible(quantity)
    there = np.isfinite(of.low)
    assert np.all(of.low[there] >= least)
    assert np.all(of.high[there] <= greatest)
    assert np.all(of.low[there] <= of.mean[there] * (1 + 1e-9))
    np.testing.assert_array_equal(there, np.isfinite(arrays).sum(axis=0) > 1)


def test_a_loss_that_exploded_in_one_seed_draws_no_band_below_zero(ax):
    seeds = [run(0), run(1), run(2, last_loss=1e4)]
    epoch_panel.draw_epochs(ax, [curves("a", 0, seeds), curves("b", 1, [run(0)])], Q["val_loss"])
    assert bands(ax)[0][0].y0 >= 0
    low, high = ax.get_ylim()
    assert -0.1 < low < high < 2


# --- the final results ---


def row(name: str, index: int, *values: float | None, ended: str = "") -> Row:
    return Row(name, index, ended, over_seeds(values))


def test_a_row_shows_seeds_mean_and_interval(ax):
    given_rows = [row("a", 0, 0.90, 0.91, 0.92), row("b", 1, 0.95, 0.95, 0.96)]
    final_panel.draw_final(ax, given_rows, Q["val_accuracy"])
    assert names(ax) == ["a", "b"]
    tops = ax.get_yticks()
    for part, expected in (
        ("seeds", [[0.90, 0.91, 0.92], [0.95, 0.95, 0.96]]),
        ("mean", [[r.result.mean] for r in given_rows]),
        ("interval", [[r.result.mean + s * r.result.ci95 for s in (-1, 1)] for r in given_rows]),
    ):
        lines = with_gid(ax, part)
        np.testing.assert_allclose([*(x for line in lines for x in line.get_xdata())],
                                   [x for xs in expected for x in xs])  # fmt: skip
        assert [line.get_ydata()[0] for line in lines] == tops.tolist()
        assert colors(lines) == list(palette.PALETTE[:2])
    assert ax.get_ylim()[0] > ax.get_ylim()[1], "the first experiment is on top"


def test_one_seed_is_a_dot_without_mean_and_interval(ax):
    final_panel.draw_final(ax, [row("a", 0, 0.9)], Q["val_accuracy"])
    assert len(with_gid(ax, "seeds")) == 1
    assert with_gid(ax, "mean") == with_gid(ax, "interval") == []


def test_an_interval_stays_possible_and_does_not_press_the_dots_together(ax):
    given_rows = [row("a", 0, 0.97, 0.99), row("b", 1, 0.98, 0.985)]
    final_panel.draw_final(ax, given_rows, Q["val_accuracy"])
    assert max(with_gid(ax, "interval")[0].get_xdata()) == 1.0
    low, high = ax.get_xlim()
    assert 0.95 < low < 0.97
    assert 0.99 < high < 1.01


@pytest.mark.parametrize(("quantity", "end"), [("val_accuracy", 0), ("val_loss", 1)])
def test_an_experiment_that_finished_no_run_has_a_cross_at_the_bad_end(quantity, end, ax):
    given_rows = [row("a", 0, 0.4, 0.5), row("wild", 1, None, None, ended="2 of 2 diverged")]
    final_panel.draw_final(ax, given_rows, Q[quantity])
    (cross,) = with_gid(ax, "no result")
    assert cross.get_xdata()[0] == ax.get_xlim()[end]
    assert ax.get_yticklabels()[1].get_text() == "wild\n(2 of 2 diverged)"


def test_a_final_loss_that_exploded_is_marked_at_the_edge(ax):
    given_rows = [row("a", 0, 0.4, 0.5), row("b", 1, 0.4, 0.45), row("c", 2, 1e6, 2e6)]
    final_panel.draw_final(ax, given_rows, Q["val_loss"])
    assert ax.get_xlim()[1] < 1
    (mark,) = with_gid(ax, "beyond")
    assert (mark.get_marker(), mark.get_xdata()[0]) == (">", ax.get_xlim()[1])


@pytest.mark.parametrize("width", [None, 3.5])
@pytest.mark.parametrize("count", [1, 2, 6, 21, 40])
def test_every_name_stands_whole_beside_the_panel(count, width):
    long = "a-long-name-of-an-experiment-that-somebody-gave-it-in-a-hurry-"
    given_rows = [row(f"{long}{i}", i, 0.9, 0.9 + i / 1000) for i in range(count)]
    with canvas.settings(width):
        made, (_, validation, final) = layout.result_panels("Accuracy", given_rows, width)
        final_panel.draw_final(final, given_rows, Q["val_accuracy"])
        made.draw_without_rendering()
    texts = final.get_yticklabels()
    shown = ["".join(text.get_text().split("\n")) for text in texts]
    assert shown == [r.name for r in given_rows][:32] + ["8 others, in grey"] * (count > 32)
    boxes = [text.get_window_extent() for text in texts]
    assert all(upper.y0 >= lower.y1 for upper, lower in itertools.pairwise(boxes))
    assert all(box.x0 >= 0 for box in boxes)
    assert not any(box.overlaps(validation.get_window_extent()) for box in boxes)
    grey = with_gid(final, "others")
    assert [len(line.get_xdata()) for line in grey] == [count - 32] * (count > 32)


def test_a_long_name_in_a_legend_is_folded():
    made, ax = canvas.panel("Learning rate")
    ax.plot(
        [0, 1], [0, 1], label="a-long-name-of-an-experiment-that-somebody-gave-it-in-a-hurry-42"
    )
    legends.legend(made, ax)
    assert ax.get_position().width > 0.5
    made.draw_without_rendering()
    assert not made.legends[0].get_window_extent().overlaps(ax.get_window_extent())


# --- ticks ---


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (1e-6, 10, ["1e-6", "1e-5", "1e-4", "1e-3", "1e-2", "1e-1", "1e0", "1e1"]),
        (1e-4, 0.2, ["0.0001", "0.001", "0.01", "0.1"]),
        (0.012, 0.4, ["0.02", "0.05", "0.1", "0.2"]),
    ],
)
def test_ticks_of_rates_have_one_format(low, high, labels, ax):
    ax.set_yscale("log")
    ax.set_ylim(low, high)
    scales.label_plainly(ax.yaxis)
    ax.figure.draw_without_rendering()
    ticks = [*ax.yaxis.get_major_ticks(), *ax.yaxis.get_minor_ticks()]
    shown = {
        t.get_loc(): t.label1.get_text()
        for t in ticks
        if 0.999 * low <= t.get_loc() <= 1.001 * high
    }
    assert [shown[at] for at in sorted(shown) if shown[at]] == labels


def test_ticks_of_results_are_numbers_without_an_offset(ax):
    ax.set_ylim(0.89213, 0.89219)
    scales.label_evenly(ax.yaxis)
    ax.figure.draw_without_rendering()
    shown = [text.get_text() for text in ax.get_yticklabels()]
    assert len(set(map(len, shown))) == 1
    assert all(text.startswith("0.8921") or text.startswith("0.8922") for text in shown)


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


def names(panel) -> list[str]:
    return [text.get_text().split("\n")[0] for text in panel.get_yticklabels()]


def with_gid(panel, gid: str) -> list:
    return [line for line in panel.lines if line.get_gid() == gid]


def test_figures_name_data_model_seeds_and_units(results):
    figures = drawn_again(results, comparison.read(results))
    assert figures.keys() == {"learning-rate", "loss", "accuracy"}
    title = figures["learning-rate"].get_suptitle()
    assert title == "Learning rate · hand-made · mlp · 2 seeds"
    assert figures["loss"].get_suptitle() == (
        "Loss · hand-made · mlp · 2 seeds · lines: mean ± std · bars: 95 % interval of the mean"
    )
    left, right, final = figures["loss"].axes
    assert left.get_ylabel() == "loss (cross-entropy, nats)"
    assert [ax.get_title() for ax in (left, right, final)] == [
        "training", "validation", "last epoch"
    ]  # fmt: skip
    assert final.get_xlabel() == "validation loss"
    (legend,) = figures["learning-rate"].legends
    labels = [text.get_text().split("\n")[0] for text in legend.get_texts()]
    assert labels == ["steady", "falling", "performance"] == names(final)
    for panel in figures["learning-rate"].axes + figures["accuracy"].axes[:2]:
        by_label = {line.get_label().split("\n")[0]: line for line in panel.lines}
        assert colors([by_label[name] for name in labels]) == list(palette.PALETTE[:3])
    assert colors(with_gid(final, "sample")) == list(palette.PALETTE[:3])


@pytest.mark.parametrize("width", [None, 3.5, 7.0])
def test_a_figure_stays_clear_of_its_legend_and_of_its_edges(width, results):
    figures = drawn_again(results, comparison.read(results), width=width)
    for figure in figures.values():
        figure.draw_without_rendering()
        panels = [ax.get_window_extent() for ax in figure.axes]
        for number, panel in enumerate(panels):
            assert all(not panel.overlaps(other) for other in panels[number + 1 :])
        for legend in (item.get_window_extent() for item in figure.legends):
            assert all(not legend.overlaps(panel) for panel in panels)
        shown = figure.get_tightbbox()
        assert shown.x0 >= 0
        assert shown.y0 >= 0
        assert shown.x1 <= figure.get_figwidth()
        assert shown.y1 <= figure.get_figheight() + 1e-6
        assert figure.get_figwidth() == pytest.approx(width or 9.0)


# --- the sweep ---


def test_a_sweep_shows_raw_and_smoothed_losses_and_the_suggestions(ax):
    record = swept()
    sweep_figure.draw_sweep(ax, record)
    assert ax.get_xscale() == "log"
    _, labels = ax.get_legend_handles_labels()
    summary = record.summary
    assert labels[:4] == [
        "batch losses, 3 seeds", "smoothed,\nas the advice reads it",
        "knee 0.00816", f"edge {summary.highest_stable_lr:.3g}",
    ]  # fmt: skip
    assert f"steady_lr {summary.steady_lr:.3g}\n(constant, decaying)" in labels
    assert f"max_lr {summary.max_lr:.3g}\n(peak of one_cycle)" in labels
    by_label = {line.get_label(): line for line in ax.lines}
    raw = [line for line in ax.lines if np.array_equal(line.get_ydata(), record.losses[1], True)]
    assert colors([*raw, by_label["smoothed,\nas the advice reads it"]]) == [sweep_figure.HUE] * 2
    steady = next(line for label, line in by_label.items() if label.startswith("steady_lr"))
    assert set(steady.get_xdata()) == {summary.steady_lr}


def test_the_y_range_of_a_sweep_is_the_valley_not_the_explosion(ax):
    record = swept()
    assert np.nanmax(record.losses) > 1e4
    sweep_figure.draw_sweep(ax, record)
    low, high = ax.get_ylim()
    assert low < np.nanmin(record.losses[:, :390])
    assert 2.4 < high < 5


def test_the_curve_of_a_sweep_is_the_one_that_the_advice_is_read_from(ax):
    record = swept()
    sweep_figure.draw_sweep(ax, record)
    by_label = {line.get_label().split(" ")[0]: line for line in ax.lines}
    curve = by_label["smoothed,\nas"]
    rates, losses = curve.get_data()
    # It does not lag: between the rates at which they are flat, data and curve cross no more than
    # the noise has them.
    middle = (rates > 1e-4) & (rates < 1e-2)
    apart = record.losses[:, : len(rates)].mean(axis=0) - losses
    assert abs(apart[middle].mean()) < 0.05
    # The knee and the edge lie on it, where the advice has them.
    knee, edge = (by_label[name].get_xydata()[0] for name in ("knee", "edge"))
    share = landmarks.TOWARDS_EDGE
    hurry = 399 / 7 / landmarks.USUAL_PACE
    between = knee[0] ** (1 - share) * edge[0] ** share * hurry
    assert between == pytest.approx(record.summary.max_lr, rel=0.01)
    assert edge[0] == pytest.approx(record.summary.highest_stable_lr, rel=0.01)
    start, lowest = losses[0], losses.min()
    for (_, loss), share in ((knee, landmarks.KNEE), (edge, landmarks.EDGE)):
        assert loss == pytest.approx(start - share * (start - lowest), abs=0.05)


def test_verified_rates_and_their_runs_are_drawn(ax):
    record = swept()
    runs = [
        ShortRun("constant", 0.002, 0.4, 0.9),
        ShortRun("constant", 0.02, None, None),
        ShortRun("one_cycle", 0.03, 0.3, 0.9),
    ]
    verified = Verified(steady_lr=0.003, max_lr=None, runs=tuple(runs))
    record = replace(record, summary=replace(record.summary, verified=verified))
    sweep_figure.draw_sweep(ax, record)
    by_label = {line.get_label(): line for line in ax.lines}
    assert set(by_label["steady_lr 0.003, verified"].get_xdata()) == {0.003}
    assert not any(label.startswith("max_lr") and "verified" in label for label in by_label)
    constant = by_label["short runs, constant:\nvalidation loss"]
    np.testing.assert_array_equal(constant.get_xydata(), [[0.002, 0.4]])
    assert ax.get_ylim()[0] < 0.3


@pytest.mark.parametrize("seeds", [1, 2])
def test_seeds_of_a_sweep_share_one_hue_and_one_entry(seeds, ax):
    record = swept()
    sweep_figure.draw_sweep(ax, replace(record, losses=record.losses[:seeds]))
    labels = ax.get_legend_handles_labels()[1]
    assert labels[0] == ("batch losses" if seeds == 1 else "batch losses, 2 seeds")
    assert sum("batch losses" in label for label in labels) == 1
    drawn = [line for line in ax.lines if len(line.get_xdata()) > 2]
    assert set(colors(drawn)) == {sweep_figure.HUE}
    areas = [item for item in ax.collections if item.get_gid() == "band"]
    assert [to_hex(area.get_facecolor()[0]).upper() for area in areas] == [sweep_figure.HUE] * (
        seeds > 1
    )


def test_a_sweep_without_suggestion_says_why(ax):
    record = swept()
    silent = dict.fromkeys(("steady_lr", "max_lr", "lowest_useful_lr", "highest_stable_lr"))
    silenced = replace(record.summary, meaning="nothing was learned", **silent)
    record = replace(record, summary=silenced)
    sweep_figure.draw_sweep(ax, record)
    assert [text.get_text() for text in ax.texts] == ["no suggestion: nothing was learned"]
    labels = ["batch losses, 3 seeds", "smoothed,\nas the advice reads it"]
    assert ax.get_legend_handles_labels()[1] == labels


def test_a_sweep_that_broke_at_once_can_be_drawn(ax):
    record = swept()
    silent = dict.fromkeys(("steady_lr", "max_lr", "lowest_useful_lr", "highest_stable_lr"))
    nothing = np.full_like(record.losses, np.nan)
    sweep_figure.draw_sweep(
        ax, replace(record, losses=nothing, summary=replace(record.summary, **silent))
    )
    assert len(ax.lines) == 3


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
    assert colors(ax.lines) == list(palette.PALETTE[:3])
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
        (([tmp_path / "empty"], None, "png"), ResultsError, "holds none of", "lrlab compare"),
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
    epoch_panel.draw_epochs(ax, [Curves.of("a", 0, 2, [broken, broken])], Q["val_loss"])
    ends = [line for line in ax.lines if line.get_label() == "_ends"]
    assert ends[0].get_xdata().tolist() == [1.5, 1.5]
    assert not recwarn.list


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


@settings(max_examples=80)
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
