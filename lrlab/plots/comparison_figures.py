"""Figures of a comparison: learning rate, loss and metric, one colour per experiment."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from lrlab.analysis import judging
from lrlab.analysis.drawn_runs import Curves, Room, shown_limits
from lrlab.config.experiment import model_name
from lrlab.io import atomic, reading
from lrlab.metric import ACCURACY, LOSS, Metric
from lrlab.plots import (
    canvas,
    epoch_panel,
    final_panel,
    grid_figure,
    layout,
    legends,
    rate_panel,
    target_figure,
)
from lrlab.results import run_folder
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import RunResult, Status

_NONE = np.zeros(0, np.float32)


def save(
    out: Path,
    comparison: Comparison,
    target: Path,
    kind: str = "png",
    results: Mapping[str, RunResult] = MappingProxyType({}),
    width: float | None = None,
) -> list[Path]:
    """Draw the figures of a comparison into the folder `target`.

    Args:
        out: The results directory, whose run files are read.
        comparison: What it compares.
        target: The folder the figures are written to.
        kind: `png`, `svg` or `pdf`.
        results: What was read already, by the run's folder in `out`.
        width: Inches, for a paper; None is the usual width.

    Returns:
        The files written: learning-rate, loss, one called as the metric, usually accuracy, target
        where there is one, and of a grid one over each key that has several values.

    Raises:
        ResultsError: If a run cannot be read or a figure cannot be written.
    """
    figures = draw(comparison, read_curves(out, comparison, results), width)
    return save_drawn(figures, target, kind)


def save_drawn(figures: Mapping[str, Any], target: Path, kind: str = "png") -> list[Path]:
    """Write figures into a folder, each under its name; return the files.

    Raises:
        ResultsError: If one cannot be written.
    """
    return [canvas.save(made, target / f"{name}.{kind}") for name, made in figures.items()]


def read_curves(
    out: Path, comparison: Comparison, results: Mapping[str, RunResult] = MappingProxyType({})
) -> list[Curves]:
    """Return what is drawn of each experiment; arguments are those of `save`.

    Raises:
        ResultsError: If a run cannot be read.
    """
    room = Room()
    return [
        Curves.of(e.name, index, e.steps_per_epoch, _results(out, e, results), room)
        for index, e in enumerate(comparison.experiments)
    ]


def draw(
    comparison: Comparison, curves: Sequence[Curves], width: float | None = None
) -> dict[str, Any]:
    """Return the figures of a comparison by name, `width` inches wide; `curves` as just read."""
    about = _about(comparison)
    with canvas.settings(width):
        made, ax = canvas.panel(f"Learning rate · {about}", width)
        rate_panel.draw_learning_rates(ax, curves)
        legends.legend(made, ax)
        figures = {"learning-rate": made}
        for quantity in (LOSS, comparison.metric):
            decides = quantity.on("val")
            best = _best(comparison, decides)
            ended = final_panel.rows(comparison.experiments, decides.key, best)
            unit = _unit(quantity, comparison)
            figures[quantity.key] = _draw_results(curves, ended, quantity, unit, about, width)
    if comparison.target is not None:
        figures["target"] = target_figure.draw(comparison, comparison.target, about, width)
    decides = comparison.metric.on("val")
    for key, name in comparison.grid_figures.items():
        best = _best(comparison, decides)
        figures[name] = grid_figure.draw(comparison, key, decides, best, about, width)
    return figures


def _best(comparison: Comparison, decides: Metric) -> Sequence[str]:
    found = judging.judge(comparison, decides.key, decides.mode)
    return found.best_set if found and found.decided else ()


def _draw_results(
    curves: Sequence[Curves],
    ended: Sequence[final_panel.Row],
    quantity: Metric,
    unit: str,
    about: str,
    width: float | None,
) -> Any:
    """Return the figure of a quantity: training, validation, and what the runs ended with."""
    several = any(len(row.result.values) > 1 for row in ended)
    band = " · lines: mean ± std · bars: 95 % interval of the mean" if several else ""
    best = " · bold: may be the best" if any(row.best for row in ended) else ""
    title = f"{quantity.title} · {about}{band}{best}"
    made, (training, validation, final) = layout.result_panels(title, ended, width)
    validated = quantity.on("val")
    within = shown_limits(curves, quantity, validated)
    epoch_panel.draw_epochs(training, curves, quantity, within)
    epoch_panel.draw_epochs(validation, curves, validated, within)
    final_panel.draw_final(final, ended, validated)
    training.set_ylabel(unit)
    training.set_title("training")
    validation.set_title("validation")
    final.set_title("last epoch")
    final.set_xlabel(f"validation {quantity.name}")
    if canvas.is_narrow(made):
        validation.set_ylabel(unit)
        training.set_xlabel("")
    return made


def _unit(quantity: Metric, comparison: Comparison) -> str:
    """Return what an axis is called; a loss beside the accuracy is a cross-entropy."""
    crossentropy = quantity == LOSS and comparison.metric == ACCURACY
    return "loss (cross-entropy, nats)" if crossentropy else quantity.name


def _results(
    out: Path, e: ExperimentSummary, known: Mapping[str, RunResult]
) -> Iterator[RunResult]:
    """Yield the runs of an experiment as far as there are any, one after another."""
    for folder, status in zip(e.runs, e.statuses, strict=True):
        found = known.get(folder) or _result(out, out / folder)
        if found is not None and found.lr is not None:
            yield found
        elif status is Status.FAILED:  # Before its first step: it has no folder.
            yield RunResult(status, lr=_NONE, loss=_NONE)


def _result(out: Path, folder: Path) -> RunResult | None:
    atomic.check_within(out, folder)
    for path in [folder / name for name in run_folder.READ]:
        if reading.is_link(path):
            atomic.check_within(out, path)
    kept = run_folder.read(folder)
    return None if kept is None else kept.result


def _about(comparison: Comparison) -> str:
    models = dict.fromkeys(model_name(e.config["model"]) for e in comparison.experiments)
    return f"{comparison.data} · {', '.join(models)} · {comparison.seed_count}"
