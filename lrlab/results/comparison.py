"""`comparison.json`: several experiments side by side, each over its seeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from lrlab.errors import ResultsError
from lrlab.io import reading, records
from lrlab.io.records import Count, Number, Positive, Text
from lrlab.results.run import RunPlace, Status, in_words

FILE = "comparison.json"
SCHEMA = 1

_PARTS = {
    "final": ("val_accuracy", "val_loss", "test_accuracy"),
    "best": ("val_accuracy", "val_loss"),
}
_OF_SEEDS = records.items(1, 1_000)
_FEW = records.items(0, 1_000)
_Texts = Annotated[tuple[Text, ...], _FEW]


@dataclass(frozen=True)
class Summary:
    """One quantity over the seeds.

    Args:
        mean: Mean over the seeds that have a value, None if none has.
        std: Sample standard deviation, None below two values.
        ci95: Half width of the 95 % confidence interval of the mean (Student's t), None below
            two values.
        values: The value of each seed, None where a run has none.
    """

    mean: Number | None
    std: Number | None
    ci95: Number | None
    values: Annotated[tuple[Number | None, ...], _OF_SEEDS]


@dataclass(frozen=True)
class ExperimentSummary:
    """One experiment over its seeds; `status` is the worst of the seeds' `statuses`.

    `final` holds `val_accuracy`, `val_loss` and `test_accuracy` after the last epoch of the runs
    that ended well; `best` the best epoch's `val_accuracy` and `val_loss`; `chosen` the rates that
    a sweep found for `auto`; `notes` what happened to each run that did not end well; `runs` the
    folder of each seed's run, relative to the results directory.
    """

    name: Annotated[Text, records.form("[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")]
    schedule: Text
    seeds: Annotated[tuple[Count, ...], _OF_SEEDS]
    status: Status
    statuses: Annotated[tuple[Status, ...], _FEW]
    final: dict[str, Summary]
    best: dict[str, Summary]
    train_seconds: Summary
    chosen: Annotated[dict[str, Number], records.keys(1_000)]
    notes: _Texts
    data: Text
    steps_per_epoch: Positive
    config: dict[str, Any]
    runs: _Texts

    @property
    def ended(self) -> str:
        """How its runs ended: the status of all, or how many of them have which bad one."""
        return in_words(self.statuses)


@dataclass(frozen=True)
class Comparison:
    """Several experiments side by side.

    `differences` names the settings other than the schedule in which the experiments differ,
    `environments` says in what the environments differ that the runs were made in.
    """

    data: Text
    differences: _Texts
    experiments: Annotated[tuple[ExperimentSummary, ...], _OF_SEEDS]
    environments: _Texts = ()


def to_json(comparison: Comparison) -> str:
    """Return `comparison.json`."""
    return records.text({"format": SCHEMA, **records.to_json(comparison)})


def read(out: Path) -> Comparison:
    """Return the comparison that a results directory holds.

    Raises:
        ResultsError: If there is none, or it cannot be read.
    """
    path = out / FILE
    try:
        comparison = records.read_file(path, Comparison)
        for problem in _misfits(comparison):
            raise ValueError(problem)
    except FileNotFoundError:
        raise ResultsError(
            f"holds no `{FILE}`", "make one with `lrlab compare CONFIG... --out DIR`", path=out
        ) from None
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"cannot be read: {reading.reason(error)}",
            "run `lrlab compare` again to rewrite it",
            path=path,
        ) from error
    return comparison


def _misfits(comparison: Comparison) -> Iterator[str]:
    """Yield what does not fit together although each part is sound."""
    if len({e.name for e in comparison.experiments}) < len(comparison.experiments):
        yield "two experiments have the same name"
    for index, e in enumerate(comparison.experiments):
        place = f"experiments.{index}"
        for part, names in _PARTS.items():
            for name in names:
                if name not in getattr(e, part):
                    yield f"`{place}.{part}.{name}` is missing"
        if not isinstance(e.config.get("model"), str):
            yield f"{place}.config.model must be a text"
        summaries = [*e.final.values(), *e.best.values(), e.train_seconds]
        of_seeds = [e.statuses, e.runs, *(summary.values for summary in summaries)]
        if any(len(values) != len(e.seeds) for values in of_seeds):
            yield f"{place} must have as many values as seeds"
        for folder, seed in zip(e.runs, e.seeds, strict=False):
            # It becomes a path; nothing but a run of this experiment may be read there.
            there = RunPlace.of(Path(folder))
            if there is None or (there.path, there.name, there.seed) != (folder, e.name, seed):
                yield f"{place}.runs must be the folder of each seed"
