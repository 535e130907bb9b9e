"""A CSV file: its header, its rows as often as they are asked for, and what its columns hold.

Commas, semicolons and tabs are told apart by the header; quoted fields and a byte order mark are
read.
"""

import codecs
import csv
import io
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.errors import DataError
from lrlab.io import reading
from lrlab.tasks.readers.named_arrays import MOST_UNPACKED, SMALL

if TYPE_CHECKING:
    import _csv

MOST_BYTES = 2_000_000_000
MOST_COLUMNS = 10_000
MOST_CATEGORIES = 100
"""Per column; more are probably names or dates, which a model cannot learn from."""
MOST_CLASSES = 1_000

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_WHOLE = re.compile(r"\s*[+-]?\d{1,15}\s*", re.ASCII)
_MISSING = {"na", "n/a", "nan", "null", "none", "?", "-", "inf", "-inf", "+inf", "#n/a", "."}
_SEPARATORS = ",;\t"


def is_number(text: str) -> bool:
    """Return whether a field is a finite number, with a point."""
    return _NUMBER.fullmatch(text) is not None


@dataclass
class Column:
    """What is known of a column after all of its rows were seen once.

    Args:
        name: Its name.
        most: How many different texts it may hold.
        number: Whether all of its fields are numbers, those that are missing apart.
        whole: Whether all of its fields are whole numbers.
        texts: Its different texts, at most one more than it may hold, with the first line of each.
        missing: The first field that says that something is missing, with its line.
    """

    name: str
    most: int
    number: bool = True
    whole: bool = True
    texts: dict[str, int] = field(default_factory=dict)
    missing: tuple[str, int] | None = None

    def see(self, text: str, line: int) -> None:
        """Take note of a field."""
        if len(self.texts) <= self.most:
            self.texts.setdefault(text, line)
        if text.strip().lower() in _MISSING:
            self.missing = self.missing or (text, line)
            return
        self.number = self.number and is_number(text)
        self.whole = self.whole and _WHOLE.fullmatch(text) is not None


class Table:
    """A CSV file.

    Attributes:
        columns: The names of its columns.
        rows: How many rows it has; 0 until it was scanned.

    Raises:
        DataError: Whatever is wrong with the file, when it is made or read.
    """

    def __init__(self, path: Path, like: "Table | None" = None) -> None:
        """Read the header of a file; it has to have the columns of the other, if there is one."""
        self.path = path
        with self._opened() as lines:
            first = next(iter(lines), "")
        self.separator = max(_SEPARATORS, key=lambda each: len(_fields(first, each)))
        with self._reader() as reader:
            self.columns = [name.strip() for name in next(reader, [])]
        self._check_header()
        if like is not None and sorted(like.columns) != sorted(self.columns):
            differ = sorted(set(like.columns) ^ set(self.columns))
            raise self.wrong(
                f"its columns are not those of `{like.path.name}`: `{differ[0]}` is in one of the "
                "files only",
                "both files need the same columns",
            )
        self.rows = 0

    def wrong(self, what: str, remedy: str | None = None) -> DataError:
        """Return the error that says what is wrong with it."""
        return DataError(f"`{self.path}`: {what}", remedy)

    @contextmanager
    def _opened(self) -> Iterator[io.TextIOWrapper]:
        try:
            with reading.open_file(self.path) as file:
                self.size = os.fstat(file.fileno()).st_size
                if self.size > MOST_BYTES:
                    raise self.wrong(
                        f"it is larger than {MOST_BYTES:,} bytes", "save it as npy files"
                    )
                if file.peek(2)[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                    raise self.wrong("it is UTF-16", "save it as UTF-8")
                yield io.TextIOWrapper(file, "utf-8-sig", newline="")
        except OSError as error:
            raise DataError(
                f"`{self.path}` cannot be read: {reading.reason(error)}",
                "paths in a config are relative to its folder, those on the command line to the "
                "current one",
            ) from error
        except UnicodeDecodeError as error:
            raise self.wrong(f"it is not UTF-8: {error.reason}", "save it as UTF-8") from error

    @contextmanager
    def _reader(self) -> "Iterator[_csv.Reader]":
        with self._opened() as lines:
            reader = csv.reader(lines, delimiter=self.separator, strict=True)
            try:
                yield reader
            except csv.Error as error:
                raise self.wrong(f"line {reader.line_num}: {error}") from error

    def _check_header(self) -> None:
        if not self.columns:
            raise self.wrong("it is empty", "the first row names the columns")
        if len(self.columns) > MOST_COLUMNS:
            raise self.wrong(f"it has {len(self.columns):,} columns, more than {MOST_COLUMNS:,}")
        for number, name in enumerate(self.columns, 1):
            if not name:
                raise self.wrong(
                    f"column {number} has no name",
                    "pandas writes its index without one: write `frame.to_csv(..., index=False)`",
                )
            if is_number(name):
                raise self.wrong(
                    f"the first row holds the number {name}", "the first row names the columns"
                )
            if name in self.columns[: number - 1]:
                raise self.wrong(f"two columns are called `{name}`", "rename one of them")
        if len(self.columns) == 1:
            raise self.wrong(
                f"it has a single column, `{self.columns[0]}`",
                "inputs and target are needed, separated by commas, semicolons or tabs",
            )

    def each(self) -> Iterator[tuple[int, list[str]]]:
        """Yield each row with the number of its line."""
        with self._reader() as reader:
            next(reader)
            for row in reader:
                if row and len(row) != len(self.columns):
                    raise self.wrong(
                        f"line {reader.line_num} has {len(row)} fields, the header has "
                        f"{len(self.columns)}",
                        f"a field that holds a `{self.separator}` needs quotes around it",
                    )
                if row:
                    yield reader.line_num, row

    def scan(self, names: Sequence[str], targets: set[str]) -> dict[str, Column]:
        """Return what the columns hold, after reading all rows once."""
        found = {
            name: Column(name, MOST_CLASSES if name in targets else MOST_CATEGORIES)
            for name in names
        }
        places = [(self.columns.index(name), column) for name, column in found.items()]
        for line, row in self.each():
            self.rows += 1
            for place, column in places:
                text = row[place]
                if not text.strip():
                    raise self.wrong(
                        f"line {line}: `{column.name}` is empty",
                        "fill in what is missing, leave out its rows, or `drop` the column",
                    )
                column.see(text, line)
        if not self.rows:
            raise self.wrong("it has a header and no rows")
        return found

    def check_room(self, columns: int) -> None:
        """Make sure that the arrays do not take far more memory than the file does."""
        needed = 4 * columns * self.rows
        if needed > max(SMALL, MOST_UNPACKED * self.size):
            raise self.wrong(
                f"its {columns:,} columns of zeros and ones would take {needed:,} bytes",
                "`drop` columns of many texts, or give them as numbers",
            )


def _fields(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])
