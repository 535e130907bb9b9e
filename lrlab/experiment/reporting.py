"""Gathers what `report.html` shows from a results directory: comparison, sweeps, their origin."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import lrlab
from lrlab import palette
from lrlab.analysis import judging
from lrlab.analysis.drawn_runs import Curves
from lrlab.config import source
from lrlab.errors import ResultsError
from lrlab.io import atomic, pictures, reading
from lrlab.metric import Metric
from lrlab.plots import canvas, comparison_figures, sensitivity_figure, sweep_figure
from lrlab.report import curve_data, page, sections, verdict
from lrlab.report.markup import join
from lrlab.report.page import Page, Picture, Section
from lrlab.report.sections import Origin
from lrlab.results import comparison, run_folder, sweep_record, tuning_record
from lrlab.results.comparison import Comparison
from lrlab.results.sweep_record import SweepRecord
from lrlab.results.tuning_record import Tuning

FILE = "report.html"

_MOST_SWEEPS = 6
_MOST_KINDS = 3
"""Environments and commands that are shown."""

_LARGEST_SVG = 200_000
"""Bytes; a figure that takes more as SVG is a PNG, of so many dots per inch."""

_DOTS = 75
_COLUMNS = 400
_MOST_NAMED = 12
_POINTS = 4_000


_LABELS = (
    "Learning rate, loss and metric over the run; the table has the results",
    "What each experiment ended with; the table has the same numbers",
)


@dataclass(frozen=True)
class Gathered:
    """Parts of the report about one thing.

    Args:
        sections: The parts.
        data: What their scripts draw.
    """

    sections: Sequence[Section]
    data: Mapping[str, Any] = field(default_factory=dict)


def sweep_folders(out: Path) -> list[Path]:
    """Return where sweeps lie in a results directory: at its top, in `find-lr`, for `auto`."""
    sweeps = out / "sweeps"
    below = [sweeps / name for name in reading.names(sweeps)] if reading.is_folder(sweeps) else []
    there = [out, out / "find-lr", *below]
    return [each for each in there if reading.exists(each / sweep_record.JSON_FILE)][:_MOST_SWEEPS]


def write(out: Path, title: str, about: str, parts: Sequence[Gathered]) -> Path:
    """Write the report into a results directory.

    Raises:
        ResultsError: If it cannot be written.
    """
    every = [section for part in parts for section in part.sections]
    data = {key: value for part in parts for key, value in part.data.items()}
    text = page.html(Page(title, about, every, lrlab.__version__, data))
    atomic.write(out / FILE, pictures.sign(text.encode(), "html"))
    return out / FILE


def write_comparison(
    out: Path,
    compared: Comparison,
    metric: Metric,
    curves: Sequence[Curves],
    drawn: Mapping[str, Any] = MappingProxyType({}),
) -> Path:
    """Write the report of a comparison, and of a tuning and the sweeps beside it.

    Args:
        out: The results directory.
        compared: The comparison.
        metric: The result that decides.
        curves: Its runs, as figures show them.
        drawn: Its figures, if they are drawn already.

    Raises:
        ResultsError: If a run cannot be read or the report not written.
    """
    found = judging.judge(compared, metric.key, metric.mode)
    best = found.best_set if found and found.decided else ()
    figures = _comparison_pictures(compared, curves, drawn)
    shown = [
        sections.verdict_of(compared, metric),
        sections.table(compared, metric),
        sections.drawn("curves", "Curves", _LABELS[0], [figures.pop("learning-rate"),
                                                        figures.pop("loss")]),
        sections.drawn("final", "Final results", _LABELS[1], [figures.pop(compared.metric.key)]),
    ]  # fmt: skip
    if figures:
        shown.append(sections.pictures("more", "More figures", list(figures.values())))
    texts = {e.name: source.to_text(e.config) for e in compared.experiments}
    folders = [folder for e in compared.experiments for folder in e.runs]
    last = Gathered(
        [sections.configs(texts), sections.origin(_origin(out, folders), _again(compared))]
    )
    shown += tuned(out)
    beside = sweeps(out)
    room = page.room([*shown, *beside.sections, *last.sections])
    data = curve_data.of_comparison(compared, curves, best, room)
    parts = [Gathered(shown, {"comparison": data}), beside, last]
    count = len(compared.experiments)
    alone = compared.experiments[0].name
    title = f"{count} learning-rate schedules compared" if count > 1 else f"The schedule {alone}"
    return write(out, title, f"{compared.data}, {compared.seed_count}", parts)


def write_sweep(out: Path, record: SweepRecord) -> Path:
    """Write the report of a sweep of `find-lr`.

    Raises:
        ResultsError: If it cannot be written.
    """
    settings = record.summary.settings
    command = (
        f"lrlab find-lr CONFIG.yaml --seeds {settings.seeds} --steps {settings.steps} "
        f"--min-lr {settings.min_lr:g} --max-lr {settings.max_lr:g}"
    )
    swept = {
        "model": settings.model,
        "optimizer": settings.optimizer,
        "batch_size": settings.batch_size,
    }
    again = sections.origin(
        Origin({settings.data: settings.data_fingerprint or ""}, (), ()),
        [
            ("Install the same version.", f"pip install lrlab=={lrlab.__version__}"),
            ("Write a config with any schedule and these settings.", source.to_text(swept)),
            ("Sweep.", command),
        ],
    )
    return write(
        out, "Which learning rate?", record.conditions, [_swept([record], []), Gathered([again])]
    )


def write_again(out: Path) -> Path:
    """Write the report of what a results directory holds; its verdict goes by the metric as before.

    Raises:
        ResultsError: If it holds no comparison, tuning or sweep, or cannot be read or written.
    """
    names = (comparison.FILE, tuning_record.FILE, sweep_record.JSON_FILE, sweep_record.CSV_FILE)
    for name in names:
        atomic.check_within(out, out / name)
    if reading.exists(out / comparison.FILE):
        compared = comparison.read(out)
        metric = comparison.read_metric(out) or verdict.usual(compared)
        curves = comparison_figures.read_curves(out, compared)
        return write_comparison(out, compared, metric, curves)
    if reading.exists(out / tuning_record.FILE):
        return _write_tuning(out)
    if reading.exists(out / sweep_record.JSON_FILE):
        return write_sweep(out, sweep_record.read(out))
    raise ResultsError(
        f"holds none of `{comparison.FILE}`, `{tuning_record.FILE}` and `{sweep_record.JSON_FILE}`",
        "make them with `lrlab compare`, `lrlab tune` or `lrlab find-lr`",
        path=out,
    )


def tuned(out: Path) -> list[Section]:
    """Return the part about a tuning in a results directory, none where there is none."""
    path = out / tuning_record.FILE
    if not reading.exists(path):
        return []
    atomic.check_within(out, path)
    try:
        return [_tuning_section(tuning_record.read(out))]
    except ResultsError as error:
        return [Section("tuning", "Tuning", page.paragraphs([error.message]))]


def _tuning_section(tuning: Tuning) -> Section:
    figures = sensitivity_figure.draw(tuning)
    shown = [
        _picture(made, f"Figure: {made.get_suptitle()}", only=True) for made in figures.values()
    ]
    return sections.tuning(tuning, shown)


def _write_tuning(out: Path) -> Path:
    """Write the report of a tuning alone."""
    tuning = tuning_record.read(out)
    schedules = [each for horizon in tuning.horizons for each in horizon.schedules]
    folders = [folder for each in schedules for at in each.runs for folder in at.runs]
    texts = {each.name: source.to_text(each.config) for each in tuning.horizons[0].schedules}
    origin = _origin(out, folders)
    again = [("Install the same version.", f"pip install lrlab=={lrlab.__version__}")]
    again += [("Tune.", command) for command in origin.commands[:1]]
    parts = [_tuning_section(tuning), sections.configs(texts), sections.origin(origin, again)]
    title = f"{len(texts)} learning-rate schedules at their best rates"
    about = f"{tuning.data}, {', '.join(tuning.models)}"
    return write(out, title, about, [Gathered(parts[:1]), sweeps(out), Gathered(parts[1:])])


def sweeps(out: Path) -> Gathered:
    """Return the parts about the sweeps in a results directory; none where there are none."""
    records, damaged = [], []
    for folder in sweep_folders(out):
        atomic.check_within(out, folder / sweep_record.JSON_FILE)
        atomic.check_within(out, folder / sweep_record.CSV_FILE)
        try:
            records.append(sweep_record.read(folder))
        except ResultsError as error:
            damaged.append(error.message)
    return _swept(records, damaged)


def _swept(records: Sequence[SweepRecord], damaged: Sequence[str]) -> Gathered:
    parts = []
    for index, record in enumerate(records):
        title = "Sweep" if len(records) == 1 else f"Sweep {index + 1}"
        label = "Loss over the learning rate of a sweep; the table has what it suggests"
        shown = _picture(sweep_figure.draw(record), f"Sweep: {record.conditions}")
        live = sections.drawn(f"sweep-{index}", title, label, [shown])
        content = join([sections.advice(record), live.content])
        parts.append(Section(f"sweep-{index}", title, content))
    if damaged:
        parts.append(Section("damaged", "Sweeps that cannot be shown", page.paragraphs(damaged)))
    return Gathered(parts, {"sweeps": [curve_data.of_sweep(record) for record in records]})


def _comparison_pictures(
    compared: Comparison, curves: Sequence[Curves], drawn: Mapping[str, Any]
) -> dict[str, Picture]:
    """Return the figures of a comparison by name, small: what can be seen of those in colour."""
    named = curves[: palette.TOLD_APART]
    columns = min(_COLUMNS, _POINTS // max(1, sum(len(of.rates) for of in named)))
    seen = [of.thinned(max(columns, 10)) for of in named]
    same = len(seen) == len(curves) and all(
        line is whole
        for of, all_of in zip(seen, curves, strict=True)
        for line, whole in zip(of.rates, all_of.rates, strict=True)
    )
    figures = dict(drawn) if drawn and same else comparison_figures.draw(compared, seen)
    live = ("learning-rate", "loss", compared.metric.key)
    return {
        name: _picture(made, f"Figure: {made.get_suptitle()}", only=name not in live)
        for name, made in figures.items()
    }


def _picture(made: Any, shows: str, *, only: bool = False) -> Picture:
    shows = shows.replace("\n", " ")
    content = canvas.content(made, "svg")
    if len(content) <= _LARGEST_SVG:
        return Picture(content, "svg", shows, only)
    return Picture(canvas.content(made, "png", dots=_DOTS), "png", shows, only)


def _origin(out: Path, folders: Sequence[str]) -> Origin:
    """Return how runs came about, as their records say."""
    data: dict[str, str] = {}
    environments: dict[tuple[tuple[str, str], ...], None] = {}
    commands: dict[str, None] = {}
    for record in _records(out, folders):
        if record.data is not None:
            data[record.data.name] = record.data.fingerprint
        stated = {k: str(v) for k, v in (record.environment or {}).items() if v not in (None, "")}
        environments[tuple(stated.items())] = None
        if record.command:
            commands[record.command] = None
    kinds = [dict(each) for each in environments if each]
    return Origin(data, kinds[:_MOST_KINDS], list(commands)[:_MOST_KINDS])


def _records(out: Path, folders: Sequence[str]) -> Iterator[run_folder.RunOrigin]:
    for folder in folders:
        path = out / folder
        atomic.check_within(out, path / run_folder.RECORD)
        if reading.exists(path / run_folder.RECORD):
            yield run_folder.read_origin(path)


def _again(compared: Comparison) -> list[tuple[str, str]]:
    names = [f"{e.name}.yaml" for e in compared.experiments]
    files = " ".join(names) if len(names) <= _MOST_NAMED else "*.yaml"
    seeds = max(len(e.seeds) for e in compared.experiments)
    return [
        ("Install the same version.", f"pip install lrlab=={lrlab.__version__}"),
        (
            f"Save each config above under its name. The data were {compared.data}; configs do not "
            "name them, so the option data has to where they are not the default.",
            "",
        ),
        ("Compare.", f"lrlab compare {files} --seeds {seeds} --out again"),
        (
            "On the same processor with the same versions every number is the same; elsewhere the "
            "last digits may differ.",
            "",
        ),
    ]
