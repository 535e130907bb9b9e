"""`comparison.json`: several experiments side by side, each over its seeds.

It is signed, and holds the checksums of the tables that were written with it.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any

from lrlab.config.grid import GridPoint
from lrlab.errors import ResultsError, UsageError
from lrlab.io import atomic, reading, records
from lrlab.io.records import AtLeast0, Count, Number, Positive, Text
from lrlab.metric import ACCURACY, Metric
from lrlab.results.asked import Looks, OpenedTest, OtherExamples, Reached, Summary, Target
from lrlab.results.run import RunPlace, Status, in_words, quantities

FILE = "comparison.json"
SCHEMA = 1

OVER = "over-"
"""What the names of figures over a key of a grid begin with."""

MOST_OF_A_NOTE = 450
"""Bytes that the note of a run that did not end well may take."""

_MOST_PER_RUN = MOST_OF_A_NOTE + 350
"""Bytes that a run may take beside its place: its note, and the digits of its numbers."""

_MOST_OF_A_TABLE = 100_000_000
_OF_SEEDS = records.items(1)
_Texts = tuple[Text, ...]


@dataclass(frozen=True)
class ExperimentSummary:
    """One experiment over its seeds; `status` is the worst of the seeds' `statuses`.

    `final` holds the loss and the metric after the last epoch of the runs that ended well, as
    `val_accuracy`, `val_loss` and `test_accuracy`; `best` the best epoch's `val_accuracy` and
    `val_loss`; `chosen` the rates that a sweep found for `auto`; `notes` what happened to each run
    that did not end well; `runs` the folder of each seed's run, relative to the results
    directory; `peak_lr` the highest rate of all runs; `reached` when they reached the comparison's
    target; `point` where it stands in a grid. Older versions had none of these three.
    """

    name: Annotated[Text, records.form("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")]
    schedule: Text
    seeds: Annotated[tuple[Count, ...], _OF_SEEDS]
    status: Status
    statuses: tuple[Status, ...]
    final: dict[str, Summary]
    best: dict[str, Summary]
    train_seconds: Summary
    chosen: Annotated[dict[str, Number], records.keys(1_000)]
    notes: _Texts
    data: Text
    steps_per_epoch: Positive
    config: dict[str, Any]
    runs: _Texts
    peak_lr: AtLeast0 | None = field(default=None, metadata=records.LEFT_OUT)
    reached: Reached | None = field(default=None, metadata=records.LEFT_OUT)
    point: GridPoint | None = field(default=None, metadata=records.LEFT_OUT)

    @property
    def ended(self) -> str:
        """How its runs ended: the status of all, or how many of them have which bad one."""
        return in_words(self.statuses)


@dataclass(frozen=True)
class Comparison:
    """Several experiments side by side.

    `differences` names the settings other than the schedule in which the experiments differ,
    `environments` says in what the environments differ that the runs were made in, `metric` what
    the scores are values of. The others are there where they were asked for, or can be told:
    see `lrlab.results.asked`.
    """

    data: Text
    differences: _Texts
    experiments: Annotated[tuple[ExperimentSummary, ...], _OF_SEEDS]
    environments: _Texts = ()
    metric: Metric = field(default=ACCURACY, metadata=records.LEFT_OUT)
    looks: Looks | None = field(default=None, metadata=records.LEFT_OUT)
    target: Target | None = field(default=None, metadata=records.LEFT_OUT)
    other_examples: OtherExamples | None = field(default=None, metadata=records.LEFT_OUT)
    test: OpenedTest | None = field(default=None, metadata=records.LEFT_OUT)

    @property
    def gridded(self) -> tuple[str, ...]:
        """The keys that have several values in a grid; none where there is no grid."""
        points = [e.point for e in self.experiments]
        return tuple(points[0].at) if points[0] is not None else ()

    @property
    def grid_figures(self) -> dict[str, str]:
        """The figure over each of these keys, as `over-schedule-lr`."""
        return {key: OVER + key.replace(".", "-") for key in self.gridded}

    @property
    def seed_count(self) -> str:
        """How many seeds the experiments have, as in "3 seeds" or "3 to 24 seeds"."""
        few, *_, most = sorted([len(e.seeds) for e in self.experiments] * 2)
        if most == 1:
            return "1 seed"
        return f"{most} seeds" if few == most else f"{few} to {most} seeds"


@dataclass(frozen=True)
class _Kept(Comparison):
    """`comparison.json`; older versions had neither a verdict nor the checksums of the tables."""

    verdict: Mapping[str, Any] | None = field(default=None, metadata=records.LEFT_OUT)
    sha256: Mapping[str, records.Digest] | None = field(default=None, metadata=records.LEFT_OUT)


def to_json(comparison: Comparison, verdict: Mapping[str, Any] | None = None) -> str:
    """Return what `comparison.json` says, without its checksums; for the verdict see `write`."""
    return records.text(_stated(comparison, verdict))


def _stated(comparison: Comparison, verdict: Mapping[str, Any] | None) -> dict[str, Any]:
    stated = {"format": SCHEMA, **records.to_json(comparison)}
    return stated if verdict is None else stated | {"verdict": verdict}


def write(
    out: Path,
    comparison: Comparison,
    tables: Mapping[str, str],
    verdict: Mapping[str, Any] | None = None,
) -> list[Path]:
    """Write `comparison.json` and the tables, all of them or none; return the files.

    Args:
        out: The results directory.
        comparison: The comparison.
        tables: The text of each other file.
        verdict: What is said of the best; it follows from the values and is not read again.

    Raises:
        ResultsError: If they cannot be written.
    """
    contents = {name: text.encode() for name, text in tables.items()}
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    stated = _stated(comparison, verdict) | {"sha256": digests}
    contents[FILE] = records.sign(records.text(stated)).encode()
    atomic.write_files(out, contents)
    return [out / name for name in contents]


def check_size(comparison: Comparison) -> None:
    """Make sure that a comparison can be read again, before anything is trained for it.

    Args:
        comparison: One of the experiments and seeds that are planned, whatever its numbers.

    Raises:
        UsageError: If it is too large.
    """
    runs = sum(len(e.seeds) for e in comparison.experiments)
    size = len(to_json(comparison)) + runs * _MOST_PER_RUN
    if size > records.MAX_BYTES:
        raise UsageError(
            f"{len(comparison.experiments):,} experiments with {runs:,} runs are too many for one "
            f"`{FILE}`: it could take {size:,} bytes, and at most {records.MAX_BYTES:,} are read",
            "use fewer seeds, or compare some of the configs in another `--out`",
        )


def read(out: Path) -> Comparison:
    """Return the comparison that a results directory holds.

    Raises:
        ResultsError: If there is none, or it is damaged.
        UnreadableError: If it cannot be read.
    """
    kept, _ = _read(out)
    return Comparison(**{each.name: getattr(kept, each.name) for each in fields(Comparison)})


def read_metric(out: Path) -> Metric | None:
    """Return the result by which its verdict was given, None where it has none.

    Raises:
        ResultsError: If there is no comparison, or it is damaged.
        UnreadableError: If it cannot be read.
    """
    kept, _ = _read(out)
    key = None if kept.verdict is None else kept.verdict.get("metric")
    return quantities(kept.metric).get(key) if isinstance(key, str) else None


def check_tables(out: Path) -> Iterator[ResultsError | None]:
    """Yield for every table of a comparison what is wrong with it; None if nobody can tell.

    Raises:
        ResultsError: If there is no comparison, or it is damaged.
        UnreadableError: If a file cannot be read.
    """
    kept, signed = _read(out)
    if not signed:
        yield None
    yield from damaged_tables(out, kept.sha256 or {}, FILE)


def damaged_tables(
    out: Path, digests: Mapping[str, records.Digest], record: str
) -> Iterator[ResultsError]:
    """Yield for every table what is wrong with it.

    Args:
        out: The results directory.
        digests: The checksum of each table.
        record: The file that states them.

    Raises:
        UnreadableError: If a file cannot be read.
    """
    for name, digest in digests.items():
        path = out / Path(name).name
        try:
            if hashlib.sha256(reading.read_bytes(path, _MOST_OF_A_TABLE)).hexdigest() != digest:
                what = f"is damaged: its checksum is not the one in {record}"
                yield ResultsError(what, path=path)
        except FileNotFoundError:
            yield ResultsError(f"is missing, but `{record}` names it", path=path)
        except OSError as error:
            if not reading.is_damage(error):
                raise reading.unreadable(path, error) from error
            yield ResultsError(f"is damaged: {reading.reason(error)}", path=path)


def _read(out: Path) -> tuple[_Kept, bool]:
    path = out / FILE
    try:
        kept, signed = records.read_signed(path, _Kept)
        for problem in _misfits(kept):
            raise ValueError(problem)
    except FileNotFoundError:
        raise ResultsError(
            f"holds no `{FILE}`", "make one with `lrlab compare CONFIG... --out DIR`", path=out
        ) from None
    except (OSError, ValueError) as error:
        if not reading.is_damage(error):
            raise reading.unreadable(path, error) from error
        raise ResultsError(
            f"cannot be read: {reading.reason(error)}",
            "run `lrlab compare` again to rewrite it",
            path=path,
        ) from error
    return kept, signed


def _misfits(comparison: Comparison) -> Iterator[str]:
    """Yield what does not fit together although each part is sound."""
    if len({e.name for e in comparison.experiments}) < len(comparison.experiments):
        yield "two experiments have the same name"
    known = quantities(comparison.metric)
    for name in ("looks", "target", "other_examples", "test"):
        part = getattr(comparison, name)
        if part is not None and part.metric not in known:
            yield f"{name}.metric must be one of {', '.join(known)}"
    if len({e.point and tuple(e.point.at) for e in comparison.experiments}) > 1:
        yield "`point.at` must have the same keys in all experiments"
    for index, e in enumerate(comparison.experiments):
        place = f"experiments.{index}"
        *final, last = known
        for part, names in (("final", [*final, last]), ("best", final)):
            for name in names:
                if name not in getattr(e, part):
                    yield f"`{place}.{part}.{name}` is missing"
        model = e.config.get("model")
        if not isinstance(model.get("build") if isinstance(model, dict) else model, str):
            yield f"{place}.config.model must be a text"
        summaries = [*e.final.values(), *e.best.values(), e.train_seconds]
        if e.reached is not None:
            summaries += [e.reached.epochs, e.reached.steps, e.reached.seconds]
        of_seeds = [e.statuses, e.runs, *(summary.values for summary in summaries)]
        of_seeds += [] if e.reached is None else [e.reached.after]
        if any(len(values) != len(e.seeds) for values in of_seeds):
            yield f"{place} must have as many values as seeds"
        for folder, seed in zip(e.runs, e.seeds, strict=False):
            # It becomes a path; nothing but a run of this experiment may be read there.
            there = RunPlace.of(Path(folder))
            if there is None or (there.path, there.name, there.seed) != (folder, e.name, seed):
                yield f"{place}.runs must be the folder of each seed"
