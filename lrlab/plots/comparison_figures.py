"""Figures of a comparison: learning rate, loss and metric, one colour per experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.analysis import judging
from lrlab.config.experiment import model_name
from lrlab.io import atomic, reading
from lrlab.metric import ACCURACY, LOSS, Metric
from lrlab.plots import canvas, epoch_panel, final_panel, layout, legends, scales, target_figure
from lrlab.plots.epoch_panel import Curves
from lrlab.results import run_folder
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import RunResult


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
        The files written: learning-rate, loss, one called as the metric, usually accuracy, and
        target where there is one.

    Raises:
        ResultsError: If a run cannot be read or a figure cannot be written.
    """
    figures = draw(out, comparison, results, width)
    return [canvas.save(made, target / f"{name}.{kind}") for name, made in figures.items()]


def draw(
    out: Path,
    comparison: Comparison,
    results: Mapping[str, RunResult] = MappingProxyType({}),
    width: float | None = None,
) -> dict[str, Any]:
    """Return the figures of a comparison by name; arguments are those of `save`.

    Raises:
        ResultsError: If a run cannot be read.
    """
    curves = [_curves(out, e, index, results) for index, e in enumerate(comparison.experiments)]
    about = _about(comparison)
    with canvas.settings(width):
        made, ax = canvas.panel(f"Learning rate · {about}", width)
        draw_learning_rates(ax, curves)
        legends.legend(made, ax)
        figures = {"learning-rate": made}
        for quantity in (LOSS, comparison.metric):
            decides = quantity.on("val")
            found = judging.judge(comparison, decides.key, decides.mode)
            best = found.best_set if found and found.decided else ()
            ended = final_panel.rows(comparison.experiments, decides.key, best)
            unit = _unit(quantity, comparison)
            figures[quantity.key] = _draw_results(curves, ended, quantity, unit, about, width)
    if comparison.target is not None:
        figures["target"] = target_figure.draw(comparison, comparison.target, about, width)
    return figures


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
    title = f"{quantity.name.capitalize()} · {about}{band}{best}"
    made, (training, validation, final) = layout.result_panels(title, ended, width)
    validated = quantity.on("val")
    within = epoch_panel.limits(curves, quantity, validated)
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


def draw_learning_rates(ax: Any, curves: Sequence[Curves]) -> Any:
    """Draw the rate of every step against the epoch; seeds only where they differ."""
    extremes, unnamed = [], []
    for experiment in curves:
        different = _different([result.lr for result in experiment.results])
        thin = {"linewidth": 1.0, "alpha": 0.7} if len(different) > 1 else {"linewidth": 1.6}
        label = experiment.label + ("\n(one line per seed)" if len(different) > 1 else "")
        style = canvas.line_style(experiment.index)
        for rates in different:
            epoch = np.arange(len(rates)) / experiment.steps_per_epoch
            extremes.append(_extremes(rates))
            if experiment.index >= canvas.TOLD_APART:
                unnamed.append((epoch, rates))
                continue
            ax.plot(epoch, rates, label=label, **thin, **style)
            label = "_seed"  # Names that begin so stay out of the legend.
        _mark_ends(ax, experiment)
    canvas.draw_unnamed(ax, unnamed, len(curves) - canvas.TOLD_APART)
    if extremes:
        scales.log_if_decades(ax, extremes)
    ax.locator_params(axis="x", integer=True)
    ax.set_xlabel("epoch")
    ax.set_ylabel("learning rate")
    return ax


def _mark_ends(ax: Any, experiment: Curves) -> None:
    """Put a cross on the line of each run that did not end well, where it ends."""
    named = experiment.index < canvas.TOLD_APART
    color = canvas.line_style(experiment.index)["color"] if named else canvas.GREY
    ends = [(run.end, run.result.lr[run.steps - 1]) for run in experiment.broken if run.steps]
    if ends:
        ax.plot(*np.array(ends).T, color=color, label="_ends", **epoch_panel.CROSS)


def _different(rates: Sequence[npt.NDArray[np.float32]]) -> list[npt.NDArray[np.float32]]:
    """Return the rates that are not the beginning of others: a run that broke off adds no line."""
    kept: list[npt.NDArray[np.float32]] = []
    for lr in sorted(rates, key=len, reverse=True):
        if not any(np.array_equal(lr, longer[: len(lr)]) for longer in kept):
            kept.append(lr)
    return kept


def _extremes(rates: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the lowest and the highest rate above 0, if there is any."""
    positive = rates[rates > 0]
    return np.array([positive.min(), positive.max()]) if len(positive) else positive


def _curves(out: Path, e: ExperimentSummary, index: int, known: Mapping[str, RunResult]) -> Curves:
    results: list[RunResult] = []
    kept: dict[bytes, npt.NDArray[np.float32]] = {}
    for folder in e.runs:
        found = known.get(folder) or _result(out, out / folder)
        if found is not None and found.lr is not None:
            # Equal rates are kept once and losses not at all: they would fill the memory.
            lr = kept.setdefault(found.lr.tobytes(), found.lr)
            results.append(replace(found, lr=lr, loss=lr[:0]))
    return Curves(e.name, index, e.steps_per_epoch, results)


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
