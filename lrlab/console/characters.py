"""Curves drawn with characters: sparklines, and charts with axes; in braille or plain ASCII."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lrlab.console.cells import Cells, Span, row_of
from lrlab.plots.scales import lowest_shown, spans_decades
from lrlab.schedules import Rates

_BLOCKS = "▁▂▃▄▅▆▇█"
_RAMP = "_.:-=+*#"
_PIECES = 50_000
"""Of a curve that has more than twice as many steps the extremes of so many pieces are drawn."""

NEEDED = _BLOCKS + chr(0x28FF) + "│┤┬─└"
"""What a stream must be able to take for anything but plain ASCII."""


@dataclass(frozen=True)
class Curve:
    """The rates of a run.

    Args:
        rates: One a step, or those of as many points as are evenly spread over the steps.
        steps_per_epoch: Steps an epoch.
        steps: How many steps there are, None: as many as rates.
    """

    rates: Rates
    steps_per_epoch: int
    steps: int | None = None

    @classmethod
    def of(cls, rates: Rates, steps_per_epoch: int) -> "Curve":
        """Return a curve with as much of its rates as can be seen; they may be millions."""
        width = len(rates) // _PIECES
        if width < 2:
            return cls(rates, steps_per_epoch)
        pieces = np.pad(rates, (0, -len(rates) % width), mode="edge").reshape(-1, width)
        both = np.stack([pieces.argmin(axis=1), pieces.argmax(axis=1)], axis=1)
        extremes = np.take_along_axis(pieces, np.sort(both, axis=1), axis=1)
        return cls(extremes.ravel(), steps_per_epoch, len(rates))

    @property
    def epochs(self) -> float:
        """How many epochs it has."""
        return (self.steps or len(self.rates)) / self.steps_per_epoch


def sparkline(rates: Rates, width: int, *, plain: bool = False) -> str:
    """Return a curve as one line: the higher the rate, from 0, the higher the character.

    Args:
        rates: The rates, at least one above 0.
        width: Characters, >= 1.
        plain: Whether in ASCII alone.

    Example:
        >>> sparkline(np.linspace(0, 1, 50), 8)
        '▁▂▃▄▅▆▇█'
    """
    levels = _RAMP if plain else _BLOCKS
    at = np.linspace(0, len(rates) - 1, width).round().astype(int)
    height = rates[at] / rates.max() * len(levels)
    return "".join(levels[min(int(level), len(levels) - 1)] for level in height)


def chart(
    curves: Sequence[Curve],
    *,
    width: int,
    height: int,
    plain: bool = False,
    log: bool | None = None,
) -> Iterator[list[Span]]:
    """Yield the lines of a chart of learning rates over epochs and, if they agree, steps.

    Args:
        curves: The curves; more than one are marked A, B, C and so on.
        width: Characters a line.
        height: Lines of the plot, without its axis.
        plain: Whether in ASCII alone.
        log: Whether the rates stand on a logarithmic axis; None: where they span decades.

    Yields:
        The lines, each as its spans.
    """
    scale = _scale([curve.rates for curve in curves], log)
    labels = {row_of(float(scale(v)), height): f"{v:g}" for v in _values(scale, height)}
    gutter = max(len("epoch"), *(len(text) + 1 for text in labels.values()))
    columns = max(width - gutter - 1, 8)
    epochs = max(curve.epochs for curve in curves)
    cells = Cells(height, columns, plain=plain)
    for curve in curves:
        cells.add(scale(curve.rates), curve.epochs / epochs)
    if len(curves) > 1 and not plain:
        cells.letter_curves()
    line, tick = ("|", "+") if plain else ("│", "┤")
    for row in range(height):
        edge = tick if row in labels else line
        yield [(f"{labels.get(row, ''):>{gutter}}{edge}", None), *cells.row(row)]
    sizes = {curve.steps_per_epoch for curve in curves}
    steps = sizes.pop() if len(sizes) == 1 else None
    for line in _axis(epochs, steps, gutter, columns, plain):
        yield [(line, None)]


@dataclass(frozen=True)
class _Scale:
    """Where rates lie between the bottom, 0, and the top, 1, of a chart."""

    low: float
    high: float
    log: bool

    def __call__(self, rates: npt.ArrayLike) -> Rates:
        values = np.asarray(rates, np.float64)
        if not self.log:
            return (values - self.low) / (self.high - self.low)
        shown = np.where(values >= self.low * (1 - 1e-9), values, np.nan)
        return np.asarray(np.log(shown / self.low) / np.log(self.high / self.low))


def _scale(curves: Sequence[Rates], log: bool | None) -> _Scale:
    rates = np.concatenate(curves)
    log = spans_decades(rates) if log is None else log
    return _Scale(lowest_shown(curves) if log else 0.0, float(rates.max()) or 1.0, log)


def _values(scale: _Scale, height: int) -> list[float]:
    """Return the rates that an axis is labelled with: some round ones."""
    most = max(2, height // 3)
    if not scale.log:
        step = _round_step(scale.high / most)
        return [i * step for i in range(int(scale.high / step * (1 + 1e-9)) + 1)]
    first, last = int(np.floor(np.log10(scale.low))), int(np.floor(np.log10(scale.high)))
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [
            factor * 10.0**power for power in range(first, last + 1) for factor in factors
            if scale.low * (1 - 1e-9) <= factor * 10.0**power <= scale.high * (1 + 1e-9)
        ]  # fmt: skip
        if 1 < len(found) <= most:
            return found
    return found if len(found) > 1 else [scale.low, scale.high]


def _round_step(least: float) -> float:
    """Return the least of 1, 2, 5, 10, 20, ... and their tenths that is not below `least`."""
    power: float = 10.0 ** np.floor(np.log10(least))
    return next(f * power for f in (1, 2, 5, 10) if f * power >= least * (1 - 1e-9))


def _axis(
    epochs: float, steps_per_epoch: int | None, gutter: int, columns: int, plain: bool
) -> Iterator[str]:
    """Yield the line of the x axis, and its labels in epochs and steps."""
    step = max(_round_step(epochs * 10 / columns), 1.0) if epochs >= 2 else epochs
    ticks = np.arange(0, epochs * (1 + 1e-9), step)
    at = [round(tick / epochs * (columns - 1)) for tick in ticks]
    line, tick = ("-", "+") if plain else ("─", "┬")
    rule = "".join(tick if column in at else line for column in range(columns))
    yield " " * gutter + ("+" if plain else "└") + rule

    def labelled(name: str, label: Callable[[float], str]) -> str:
        text = f"{name:<{gutter + 1}}"
        for column, value in zip(at, ticks, strict=True):
            shown = label(value)
            left = min(gutter + 1 + column - len(shown) // 2, gutter + 1 + columns - len(shown))
            if left > len(text.rstrip()) or not text.strip():
                text = f"{text:<{left}}"[:left] + shown
        return text

    yield labelled("epoch", lambda value: f"{value:g}")
    if steps_per_epoch is not None:
        yield labelled("step", lambda value: f"{round(value * steps_per_epoch):,}")
