"""Figures of a comparison: learning rate, loss and accuracy, one colour an experiment."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from lrlab import runs
from lrlab.comparison import Comparison, ExperimentSummary
from lrlab.plots import canvas
from lrlab.runs import RunResult


@dataclass(frozen=True)
class Curves:
    """The runs of one experiment, one a seed, as they are drawn."""

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


def save(out: Path, comparison: Comparison, target: Path, kind: str = "png") -> list[Path]:
    """Draw the three figures of a comparison.

    Args:
        out: The results directory, whose run files are read.
        comparison: What it compares.
        target: The folder the figures are written to.
        kind: `png`, `svg` or `pdf`.

    Returns:
        The files written: learning-rate, loss, accuracy.

    Raises:
        ResultsError: If a run cannot be read or a figure not be written.
    """
    curves = [_curves(out, e, index) for index, e in enumerate(comparison.experiments)]
    about = _about(comparison)
    band = ", mean ± std" if any(len(e.seeds) > 1 for e in comparison.experiments) else ""
    written = []
    made, (ax,) = canvas.figure()
    draw_learning_rates(ax, curves)
    ax.set_title(f"Learning rate · {about}", loc="left")
    canvas.legend(made, ax)
    written.append(canvas.save(made, target / f"learning-rate.{kind}"))
    for quantity, word in (("loss", "Loss"), ("accuracy", "Accuracy")):
        made, (left, right) = canvas.figure(panels=2)
        draw_epochs(left, curves, quantity)
        draw_epochs(right, curves, f"val_{quantity}")
        left.set_title("training")
        right.set_title("validation")
        left.set_ylabel("loss (cross-entropy, nats)" if quantity == "loss" else "accuracy")
        made.suptitle(f"{word} · {about}{band}", x=0.105, ha="left", size="large")
        canvas.legend(made, left)
        written.append(canvas.save(made, target / f"{quantity}.{kind}"))
    return written


def draw_learning_rates(ax: Any, curves: Sequence[Curves]) -> Any:
    """Draw the rate of every step against the epoch; seeds only where they differ."""
    everything = []
    for experiment in curves:
        style = canvas.line_style(experiment.index)
        different = {result.lr.tobytes(): result.lr for result in experiment.results}
        thin = {"linewidth": 1.0, "alpha": 0.7} if len(different) > 1 else {"linewidth": 1.6}
        label = experiment.name + ("\n(a line a seed)" if len(different) > 1 else "")
        for rates in different.values():
            epoch = np.arange(len(rates)) / experiment.steps_per_epoch
            ax.plot(epoch, rates, label=label, **thin, **style)
            everything.append(rates)
            label = "_seed"  # Names that begin so stay out of the legend.
    if everything:
        canvas.log_if_decades(ax, np.concatenate(everything))
    ax.set_xlabel("epoch")
    ax.set_ylabel("learning rate")
    return ax


def draw_epochs(ax: Any, curves: Sequence[Curves], quantity: str) -> Any:
    """Draw a quantity's mean over the seeds after each epoch, with a band of ± 1 deviation."""
    shown: list[npt.NDArray[np.float64]] = []
    bands: list[npt.NDArray[np.float64]] = []
    colors: list[str] = []
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
        ax.plot(epoch, mean, label=experiment.name, **_style(experiment))
        counts = np.isfinite(padded).sum(axis=0)
        if counts.max() > 1:
            both = counts > 1
            std = np.nanstd(padded[:, both], axis=0, ddof=1)
            low, high = mean[both] - std, mean[both] + std
            there, back = np.stack([epoch[both], low]), np.stack([epoch[both], high])[:, ::-1]
            bands.append(np.concatenate([there, back], axis=1).T)
            colors.append(canvas.line_style(experiment.index)["color"])
        shown.append(mean)
    canvas.draw_bands(ax, bands, colors)
    _limit(ax, shown, quantity)
    ax.set_xlabel("epoch")
    ax.locator_params(axis="x", integer=True)
    return ax


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


def _curves(out: Path, e: ExperimentSummary, index: int) -> Curves:
    found = [runs.read(out / folder) for folder in e.runs]
    results = [pair[0] for pair in found if pair is not None]
    return Curves(e.name, index, e.steps_per_epoch, results)


def _about(comparison: Comparison) -> str:
    models = dict.fromkeys(str(e.config["model"]) for e in comparison.experiments)
    seeds = sorted({len(e.seeds) for e in comparison.experiments})
    count = f"{seeds[0]} seed{'s' if seeds[0] > 1 else ''}" if len(seeds) == 1 else "several seeds"
    return f"{comparison.data} · {', '.join(models)} · {count}"
