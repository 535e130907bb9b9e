"""`comparison.json`: a comparison as it is kept, read back with care."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

from lrlab.errors import ResultsError
from lrlab.io import json_shapes, reading
from lrlab.results.comparison.summary import Comparison, ExperimentSummary, Summary
from lrlab.results.runs import Status

FILE = "comparison.json"
SCHEMA = 1

_MOST_SEEDS = 1_000


def to_json(comparison: Comparison) -> str:
    """Return `comparison.json`."""
    stated = {"format": SCHEMA, **vars(comparison)}
    return json.dumps(stated, indent=2, default=vars) + "\n"  # All else in it is a dataclass.


def read(out: Path) -> Comparison:
    """Return the comparison that a results directory holds.

    Raises:
        ResultsError: If there is none, or it cannot be read.
    """
    path = out / FILE
    try:
        data = _SHAPE(json_shapes.parse(reading.read_bytes(path, json_shapes.MAX_BYTES)), "")
        experiments = tuple(
            _experiment(item, f"experiments.{index}")
            for index, item in enumerate(data["experiments"])
        )
        if len({e.name for e in experiments}) < len(experiments):
            raise ValueError("two experiments have the same name")
    except FileNotFoundError:
        raise ResultsError(
            f"`{out}` holds no `{FILE}`", "make one with `lrlab compare CONFIG... --out DIR`"
        ) from None
    except (OSError, ValueError) as error:
        raise ResultsError(
            f"`{path}` cannot be read: {reading.reason(error)}",
            "run `lrlab compare` again to write it anew",
        ) from error
    return Comparison(
        data["data"],
        tuple(data["differences"]),
        experiments,
        tuple(data.get("environments", ())),
    )


_PARTS = {
    "final": ("val_accuracy", "val_loss", "test_accuracy"),
    "best": ("val_accuracy", "val_loss"),
}
_MAYBE = json_shapes.maybe(json_shapes.number())
_SUMMARY = json_shapes.mapping(
    {
        "mean": _MAYBE,
        "std": _MAYBE,
        "ci95": _MAYBE,
        "values": json_shapes.items(_MAYBE, least=1, most=_MOST_SEEDS),
    }
)
_TEXTS = json_shapes.items(json_shapes.text(), most=_MOST_SEEDS)
_EXPERIMENT = json_shapes.mapping(
    {
        "name": json_shapes.text(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}"),
        "schedule": json_shapes.text(),
        "seeds": json_shapes.items(json_shapes.whole(0, 10**9), least=1, most=_MOST_SEEDS),
        "status": json_shapes.one_of(*Status),
        "statuses": json_shapes.items(json_shapes.one_of(*Status), most=_MOST_SEEDS),
        **{part: json_shapes.mapping(dict.fromkeys(_PARTS[part], _SUMMARY)) for part in _PARTS},
        "train_seconds": _SUMMARY,
        "chosen": json_shapes.table(json_shapes.number(), most=1_000),
        "notes": _TEXTS,
        "data": json_shapes.text(),
        "steps_per_epoch": json_shapes.whole(1, 10**9),
        "config": json_shapes.mapping({"model": json_shapes.text()}),
        "runs": _TEXTS,
    }
)
_SHAPE = json_shapes.mapping(
    {
        "data": json_shapes.text(),
        "differences": _TEXTS,
        "experiments": json_shapes.items(_EXPERIMENT, least=1, most=1_000),
    },
    {"environments": _TEXTS},
)


def _experiment(item: dict[str, Any], place: str) -> ExperimentSummary:
    """Return an experiment after its parts were found to fit together."""
    seeds = item["seeds"]
    of_seeds = [item["statuses"], item["runs"], item["train_seconds"]["values"]]
    of_seeds += [item[part][name]["values"] for part in _PARTS for name in _PARTS[part]]
    if any(len(values) != len(seeds) for values in of_seeds):
        raise ValueError(f"{place} has not as many values as seeds")
    for folder, seed in zip(item["runs"], seeds, strict=True):
        # It becomes a path; nothing but a run of this experiment may be read there.
        if not re.fullmatch(rf"runs/{re.escape(item['name'])}-[0-9a-f]+/seed-{seed}", folder):
            raise ValueError(f"{place}.runs must be the folder of each seed, got `{folder[:80]}`")
    return ExperimentSummary(
        **{field.name: _frozen(item[field.name]) for field in fields(ExperimentSummary)}
        | {part: {name: _summary(item[part][name]) for name in _PARTS[part]} for part in _PARTS}
        | {"train_seconds": _summary(item["train_seconds"])}
    )


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _summary(value: dict[str, Any]) -> Summary:
    return Summary(value["mean"], value["std"], value["ci95"], tuple(value["values"]))
