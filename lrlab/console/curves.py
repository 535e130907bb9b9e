"""The curves of configs, drawn on stdout."""

import shutil
import sys
from collections.abc import Sequence

from rich.text import Text

from lrlab.config import Experiment
from lrlab.console import cells, characters
from lrlab.console.terminal import console, takes, width
from lrlab.plots import schedule_figure

_WIDEST = 140
_COLOURS = ("cyan", "yellow", "magenta", "green", "red", "blue")


def print_curves(experiments: Sequence[tuple[Experiment, int]]) -> None:
    """Draw the rates of experiments, each given with its steps an epoch, and name the curves."""
    stdout = console(sys.stdout)
    names, curves = [], []
    for experiment, steps in experiments:
        name, rates = schedule_figure.curve(experiment, steps)
        names.append(name)
        curves.append(characters.Curve.of(rates, steps))
    # The curves, their names and the axis fit on a screen where it is not very small.
    height = min(max(shutil.get_terminal_size((80, 24)).lines - len(names) - 6, 10), 24)
    plain = not takes(sys.stdout, characters.NEEDED)
    stdout.print("learning rate")
    for line in characters.chart(curves, width=width(_WIDEST), height=height, plain=plain):
        stdout.print(painted(line))
    for index, name in enumerate(names):
        letter = f"{cells.letter(index)}  " if len(curves) > 1 else ""
        label = name.replace("\n", " ")
        stdout.print(painted([(f"{letter}{label}", index)]), soft_wrap=True)


def painted(line: Sequence[cells.Span]) -> Text:
    """Return a line, each curve in its colour."""
    text = Text(no_wrap=True)
    for part, index in line:
        text.append(part, "" if index is None else _COLOURS[index % len(_COLOURS)])
    return text
