"""A CSV file as a data set: numbers as they are, texts as one column per category.

Nothing that is missing is filled in.
"""

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lrlab.errors import DataError
from lrlab.io.npz import Array
from lrlab.tasks import labels
from lrlab.tasks.code import nearest
from lrlab.tasks.part_flaws import require_sound
from lrlab.tasks.parts import Given, Part
from lrlab.tasks.readers.csv_file import Column, Table, is_number

_LARGEST = float(np.finfo(np.float32).max)


def read(
    path: Path,
    *,
    target: str | Sequence[str] | None = None,
    drop: Sequence[str] = (),
    test: Path | None = None,
) -> Given:
    """Read a CSV file.

    A column is numeric if all of its fields are numbers. Any other input column becomes one column
    of zeros and ones per text in it, in the order of the alphabet, named `column=text`; a text
    that only the test file has is all zeros there. A target of texts becomes class numbers in the
    order of the alphabet.

    Args:
        path: The file, UTF-8, whose first row names the columns.
        target: The column to learn, or several of numbers; None for the last one.
        drop: Columns to leave out.
        test: A second file with the same columns to test on, None if there is none.

    Returns:
        Inputs float32 (n, columns), to be standardised. Targets int64 where all are texts, or whole
        numbers that can be classes, else float32; (n,), or (n, targets) if several were named.

    Raises:
        DataError: If a file cannot be read, is no such table, or something is missing.
    """
    table = Table(path)
    targets = _targets(table, target)
    inputs = _inputs(table, targets, drop)
    scanned = table.scan([*inputs, *targets], set(targets))
    for column in scanned.values():
        _check(column, table)
    names = _feature_names([scanned[name] for name in inputs])
    table.check_room(len(names))
    classes = _classes(scanned[targets[0]]) if len(targets) == 1 else ()
    if len(targets) > 1 and (texts := [name for name in targets if not scanned[name].number]):
        raise table.wrong(f"the target `{texts[0]}` holds texts", "several targets are numbers")
    encode = _Encoder(inputs, targets, scanned, classes)
    notes = [f"its last column, `{targets[0]}`, is taken as the target"]
    given = Given(
        encode.part(table),
        test=None if test is None else encode.part(Table(test, like=table)),
        standardise=True,
        standardise_targets=True,
        classes=classes,
        features=tuple(names),
        notes=(*(notes if target is None else ()), *encode.notes),
    )
    require_sound(given, f"`{path}`")
    return given


def _targets(table: Table, target: str | Sequence[str] | None) -> list[str]:
    if target is None:
        return [table.columns[-1]]
    targets = [target] if isinstance(target, str) else list(target)
    for name in targets:
        if name not in table.columns:
            raise _no_column(table, name)
    if not targets or len(set(targets)) < len(targets):
        raise table.wrong("`target` names no column, or one twice")
    return targets


def _inputs(table: Table, targets: list[str], drop: Sequence[str]) -> list[str]:
    for name in drop:
        if name not in table.columns:
            raise _no_column(table, name)
        if name in targets:
            raise table.wrong(f"`{name}` is the target, and `drop` leaves it out")
    inputs = [name for name in table.columns if name not in {*targets, *drop}]
    if not inputs:
        raise table.wrong("no column is left to learn from")
    return inputs


def _no_column(table: Table, name: str) -> DataError:
    listed = ", ".join(f"`{each}`" for each in table.columns[:10])
    return table.wrong(
        f"there is no column `{name}`{nearest(name, table.columns)}", f"it has {listed}"
    )


def _check(column: Column, table: Table) -> None:
    """Refuse what is missing among numbers, and texts that are no categories."""
    if column.number and column.missing:
        text, line = column.missing
        raise table.wrong(
            f"line {line}: `{column.name}` is `{text}` among numbers",
            "fill in what is missing, leave out its rows, or `drop` the column",
        )
    if column.number:
        return
    if len(column.texts) > column.most:
        commas = all(re.fullmatch(r"\s*-?\d+,\d+\s*", text) for text in column.texts)
        text = next(each for each in column.texts if not is_number(each))
        raise table.wrong(
            f"`{column.name}` holds more than {column.most} texts, as `{text[:40]}` in line "
            f"{column.texts[text]}",
            "write numbers with a point in place of a comma"
            if commas
            else "`drop` names, dates and free text, or turn them into numbers",
        )


def _feature_names(columns: Sequence[Column]) -> list[str]:
    return [
        name
        for column in columns
        for name in (
            [column.name]
            if column.number
            else [f"{column.name}={text}" for text in sorted(column.texts)]
        )
    ]


def _classes(column: Column) -> tuple[str, ...]:
    return () if column.number else tuple(sorted(column.texts))


class _Encoder:
    """Turns rows into arrays, by what was seen in the file to train on."""

    def __init__(
        self,
        inputs: list[str],
        targets: list[str],
        scanned: dict[str, Column],
        classes: tuple[str, ...],
    ) -> None:
        self._inputs = [scanned[name] for name in inputs]
        self._targets = [scanned[name] for name in targets]
        self._classes = {text: number for number, text in enumerate(classes)}
        self._width = len(_feature_names(self._inputs))
        self._amounts: bool | None = None  # As the training data have it.
        self.notes: list[str] = []

    def part(self, table: Table) -> Part:
        """Return the arrays of a table."""
        rows = table.rows or sum(1 for _ in table.each())
        x = np.zeros((rows, self._width), np.float32)
        y = np.zeros((rows, len(self._targets)), np.float64)
        plan = self._plan(table)
        places = [table.columns.index(column.name) for column in self._targets]
        unknown: dict[str, str] = {}
        for number, (line, row) in enumerate(table.each()):
            for place, at, column, codes in plan:
                if codes is None:
                    x[number, at] = self._number(table, line, column, row[place])
                elif row[place] in codes:
                    x[number, at + codes[row[place]]] = 1.0
                else:
                    unknown.setdefault(column.name, row[place])
            for at, place in enumerate(places):
                y[number, at] = self._target(table, line, self._targets[at], row[place])
        self.notes += [
            f"`{name}` of `{table.path.name}` holds `{text}`, which is not in the training data; "
            "such texts are all zeros"
            for name, text in unknown.items()
        ]
        return Part(x, self._typed(y))

    def _plan(self, table: Table) -> list[tuple[int, int, Column, dict[str, int] | None]]:
        """Return for each input column its place in a row, in the array, and its codes."""
        plan: list[tuple[int, int, Column, dict[str, int] | None]] = []
        at = 0
        for column in self._inputs:
            codes = None if column.number else {t: n for n, t in enumerate(sorted(column.texts))}
            plan.append((table.columns.index(column.name), at, column, codes))
            at += 1 if codes is None else len(codes)
        return plan

    def _target(self, table: Table, line: int, column: Column, text: str) -> float:
        if column.number:
            return self._number(table, line, column, text)
        if text not in self._classes:
            raise table.wrong(
                f"line {line}: `{column.name}` is `{text}`, which is no class of the training data"
            )
        return self._classes[text]

    def _number(self, table: Table, line: int, column: Column, text: str) -> float:
        if not is_number(text):
            raise table.wrong(
                f"line {line}: `{column.name}` is `{text}`, and a number in the training data"
                if text.strip()
                else f"line {line}: `{column.name}` is empty"
            )
        value = float(text)
        return value if abs(value) <= _LARGEST else math.copysign(math.inf, value)

    def _typed(self, y: Array) -> Array:
        whole = all(column.whole or not column.number for column in self._targets)
        whole = whole and not self._are_amounts(y)
        typed = y.astype(np.int64 if whole else np.float32)
        return typed[:, 0] if len(self._targets) == 1 else typed

    def _are_amounts(self, y: Array) -> bool:
        """Return whether whole numbers cannot be classes, which are counted from 0."""
        if self._amounts is None:
            column = self._targets[0]
            low, high = float(y.min()), float(y.max())
            self._amounts = column.number and (high >= labels.MOST_CLASSES or low < -1)
            if self._amounts:
                self.notes.append(
                    f"`{column.name}` holds whole numbers from {low:.0f} to {high:.0f}, taken as "
                    "amounts"
                )
        return self._amounts
