"""What people look at beside the tables, made again where what it shows has changed."""

import hashlib
import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import lrlab
from lrlab.experiment import reporting
from lrlab.io import atomic, reading, records
from lrlab.metric import Metric
from lrlab.plots import comparison_figures
from lrlab.report import verdict
from lrlab.results import comparison, run_folder, shown, sweep_record, tuning_record
from lrlab.results.comparison import Comparison
from lrlab.results.run import RunResult

_DRAWN_BY = ("palette.py", "analysis", "plots", "report", "experiment/presenting.py",
             "experiment/reporting.py")  # fmt: skip
"""The parts of lrlab that decide how something looks."""

_SOURCES = (".py", ".css", ".js")

_LIBRARIES = ("matplotlib", "numpy", "plotly")


def present(
    out: Path,
    compared: Comparison,
    results: Mapping[str, RunResult],
    load: Callable[[], None] = lambda: None,
    metric: Metric | None = None,
) -> list[Path]:
    """Draw figures and report of a comparison, unless those that are there show it already.

    Only for who holds the lock of the results directory.

    Args:
        out: The results directory.
        compared: The comparison, as `save` has written it.
        results: The runs that were read already, by their folder in `out`.
        load: Imports matplotlib, as a command has to; called only if something is drawn.
        metric: The result that decides; None: the usual one.

    Returns:
        The files that show it.

    Raises:
        ResultsError: If a run cannot be read or a file cannot be written.
    """
    what = hashlib.sha256()
    for part in _what_is_shown(out, compared):
        what.update(hashlib.sha256(part).digest())
    files = shown.current(out, what.hexdigest())
    if files is None:
        load()
        curves = comparison_figures.read_curves(out, compared, results)
        drawn = comparison_figures.draw(compared, curves)
        files = comparison_figures.save_drawn(drawn, out)
        decides = metric or verdict.usual(compared)
        files.append(reporting.write_comparison(out, compared, decides, curves, drawn))
        shown.write(out, what.hexdigest(), files)
    return files


def _what_is_shown(out: Path, compared: Comparison) -> Iterator[bytes]:
    """Yield all that figures are made from: records that hold the checksums of the rest, code."""
    yield _content(out / comparison.FILE)
    yield _content(out / tuning_record.FILE)
    for e in compared.experiments:
        for folder in e.runs:
            path = out / folder / run_folder.RECORD
            atomic.check_within(out, path)
            yield _content(path)
    for swept in reporting.sweep_folders(out):
        yield _content(swept / sweep_record.JSON_FILE)
    yield lrlab.__version__.encode()
    for name in _LIBRARIES:
        yield importlib.metadata.version(name).encode()
    package = Path(lrlab.__file__).parent
    for part in _DRAWN_BY:
        path = package / part
        for source in [path] if path.is_file() else sorted(path.rglob("*")):
            if source.suffix in _SOURCES:
                yield source.read_bytes()


def _content(path: Path) -> bytes:
    """Return what a file holds, nothing where it is not to be had: that is told where it counts."""
    try:
        return reading.read_bytes(path, records.MAX_BYTES)
    except OSError:
        return b""
