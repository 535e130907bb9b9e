"""Figures of a comparison: learning rate, loss and accuracy, one colour per experiment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab.io import atomic, reading
from lrlab.plots import canvas
from lrlab.results import run_folder
from lrlab.results.comparison import Comparison, ExperimentSummary
from lrlab.results.run import RunResult


@dataclass(frozen=True)
class Curves:
    """The runs of one experiment, one per seed, as they are drawn."""

    name: str
    index: int
    steps_per_epoch: int
    results: Sequence[RunResult]

    def over_epochs(self, quantity: str) -> list[npt.NDArray[np.float64]]:
        """Return a quantity of each run's epochs, shape (epochs,) each."""
        return [
            np.array([getattr(epoch, quantity) for epoch in result.epochs])
            for result in self.results
            if result.epochs
        ]


def save(
    out: Path,
    comparison: Comparison,
    target: Path,
    kind: str = "png",
    results: Mapping[str, RunResult] = MappingProxyType({}),
) -> list[Path]:
    """Draw the three figures of a comparison into the folder `target`.

    Args:
        out: The results directory, whose run files are read.
        comparison: What it compares.
        target: The folder the figures are written to.
        kind: `png`, `svg` or `pdf`.
        results: What was read already, by the run's folder in `out`.

    Returns:
        The files written: learning-rate, loss, accuracy.

    Raises:
        ResultsError: If a run cannot be read or a figure cannot be written.
    """
    figures = draw(out, comparison, results)
    return [canvas.save(made, target / f"{name}.{kind}") for name, made in figures.items()]


def draw(
    out: Path, comparison: Comparison, results: Mapping[str, RunResult] = MappingProxyType({})
) -> dict[str, Any]:
    """Return the three figures of a comparison by name; arguments are those of `save`.

    Raises:
        ResultsError: If a run cannot be read.
    """
    curves = [_curves(out, e, index, results) for index, e in enumerate(comparison.experiments)]
    about = _about(comparison)
    band = ", mean ± std" if any(len(e.seeds) > 1 for e in comparison.experiments) else ""
    made, (ax,) = canvas.figure()
    draw_learning_rates(ax, curves)
    ax.set_title(f"Learning rate · {about}", loc="left")
    canvas.legend(made, ax)
    figures = {"learning-rate": made}
    for quantity, word in (("loss", "Loss"), ("accuracy", "Accuracy")):
        made, (left, right) = canvas.figure(panels=2)
        draw_epochs(left, curves, quantity)
        draw_epochs(right, curves, f"val_{quantity}")
        left.set_title("training")
        right.set_title("validation")
        left.set_ylabel("loss (cross-entropy, nats)" if quantity == "loss" else "accuracy")
        made.suptitle(f"{word} · {about}{band}", x=0.105, ha="left", size="large")
        canvas.legend(made, left)
        figures[quantity] = made
    return figures


def draw_learning_rates(ax: Any, curves: Sequence[Curves]) -> Any:
    """Draw the rate of every step against the epoch; seeds only where they differ."""
    extremes, unnamed = [], []
    for experiment in curves:
        different = {result.lr.tobytes(): result.lr for result in experiment.results}
        thin = {"linewidth": 1.0, "alpha": 0.7} if len(different) > 1 else {"linewidth": 1.6}
        label = experiment.name + ("\n(one line per seed)" if len(different) > 1 else "")
        style = canvas.line_style(experiment.index)
        for rates in different.values():
            epoch = np.arange(len(rates)) / experiment.steps_per_epoch
            extremes.append(_extremes(rates))
            if experiment.index >= canvas.TOLD_APART:
                unnamed.append((epoch, rates))
                continue
            ax.plot(epoch, rates, label=label, **thin, **style)
            label = "_seed"  # Names that begin so stay out of the legend.
    canvas.draw_unnamed(ax, unnamed, len(curves) - canvas.TOLD_APART)
    if extremes:
        canvas.log_if_decades(ax, extremes)
    ax.set_xlabel("epoch")
    ax.set_ylabel("learning rate")
    return ax


def _extremes(rates: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return the lowest and the highest rate above 0, if there is any."""
    positive = rates[rates > 0]
    return np.array([positive.min(), positive.max()]) if len(positive) else positive


def draw_epochs(ax: Any, curves: Sequence[Curves], quantity: str) -> Any:
    """Draw a quantity's mean over the seeds after each epoch, with a band of ± 1 deviation."""
    shown: list[npt.NDArray[np.float64]] = []
    bands, unnamed = [], []
    for experiment in curves:
        values = experiment.over_epochs(quantity)
        if not values:
            ax.plot([], [], label=f"{experiment.name} (no epoch)", **_style(experiment))
            continue
        length = max(map(len, values))
        padded = np.full((len(values), length), np.nan)
        for row, value in zip(padded, values, strict=True):
            row[: len(value)] = value
        mean = _mean(padded)
        epoch = np.arange(1, length + 1)
        shown.append(mean)
        if experiment.index >= canvas.TOLD_APART:
            unnamed.append((epoch, mean))
            continue
        ax.plot(epoch, mean, label=experiment.name, **_style(experiment))
        bands.append((_band(epoch, mean, padded), canvas.line_style(experiment.index)["color"]))
    canvas.draw_bands(ax, bands)
    canvas.draw_unnamed(ax, unnamed, len(unnamed))
    _limit(ax, shown, quantity)
    ax.set_xlabel("epoch")
    ax.locator_params(axis="x", integer=True)
    return ax


def _band(
    epoch: npt.NDArray[np.int64],
    mean: npt.NDArray[np.float64],
    values: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Return the outline of mean ± deviation where several seeds have a value, shape (points, 2).

    Args:
        epoch: The epochs.
        mean: The mean after each of them.
        values: The value of each seed, shape (seeds, epochs), NaN where there is none.
    """
    both = np.isfinite(values).sum(axis=0) > 1
    std = np.nanstd(values[:, both], axis=0, ddof=1)
    there, back = (
        np.stack([epoch[both], mean[both] - std]),
        np.stack([epoch[both], mean[both] + std]),
    )
    return np.concatenate([there, back[:, ::-1]], axis=1).T


def _mean(values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean of the finite values of each column, NaN where there is none."""
    finite = np.isfinite(values)
    total = np.where(finite, values, 0.0).sum(axis=0)
    return np.where(finite.any(axis=0), total / np.maximum(finite.sum(axis=0), 1), np.nan)


def _style(experiment: Curves) -> dict[str, Any]:
    few = max((len(result.epochs) for result in experiment.results), default=0) <= 15
    marker = {"marker": "o", "markersize": 3.0} if few else {}
    return {"linewidth": 1.6, **marker, **canvas.line_style(experiment.index)}


def _limit(ax: Any, shown: Sequence[npt.NDArray[np.float64]], quantity: str) -> None:
    """Keep a loss that exploded from pressing all others flat; the axis then says so."""
    ends = np.array([mean[np.isfinite(mean)].max() for mean in shown if np.isfinite(mean).any()])
    if not quantity.endswith("loss") or not len(ends):
        return
    usual = float(np.median(ends))
    if ends.max() > 5 * usual:
        low, _ = ax.get_ylim()
        ax.set_ylim(min(low, 0.0), 2 * usual)
        ax.annotate("some curves leave the figure", (0.98, 0.97), xycoords="axes fraction",
                    ha="right", va="top", color=canvas.GREY, size="small")  # fmt: skip


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
    for path in [folder / name for name in run_folder.FILES]:
        if reading.is_link(path):
            atomic.check_within(out, path)
    kept = run_folder.read(folder)
    return None if kept is None else kept.result


def _about(comparison: Comparison) -> str:
    models = dict.fromkeys(e.config["model"] for e in comparison.experiments)
    seeds = sorted({len(e.seeds) for e in comparison.experiments})
    count = f"{seeds[0]} seed{'s' if seeds[0] > 1 else ''}" if len(seeds) == 1 else "several seeds"
    return f"{comparison.data} · {', '.join(models)} · {count}"
