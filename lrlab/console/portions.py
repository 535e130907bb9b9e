"""What a shard has trained, and what a merge has joined, on stdout."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lrlab.console.results import print_json
from lrlab.console.terminal import as_text, console
from lrlab.results.merging import Merged

if TYPE_CHECKING:
    from lrlab.experiment.planning import Run
    from lrlab.experiment.portion import Shard
    from lrlab.results.run import RunResult


def print_shard(
    shard: "Shard", total: int, results: "Mapping[Run, RunResult]", *, as_json: bool = False
) -> None:
    """Print how the runs of a shard ended, and what to do when all shards are done.

    Args:
        shard: The shard.
        total: How many runs all shards have together.
        results: The runs of this shard.
        as_json: Whether to print only JSON.
    """
    if as_json:
        print_json(_shard_json(shard, total, results))
        return
    _say(f"shard {shard}: {len(results)} of {total} runs")
    for run, result in results.items():
        why = f": {result.error}" if result.error else ""
        _say(f"  {run}: {result.status}{why}")
    _say("when all shards are done, join them with `lrlab merge DIR... --out DIR`")


def _shard_json(shard: "Shard", total: int, results: "Mapping[Run, RunResult]") -> str:
    """Return how the runs of a shard ended, as JSON."""
    runs = [
        {
            "name": run.name,
            "seed": run.seed,
            "folder": run.place.path,
            "status": result.status,
            "error": result.error,
        }
        for run, result in results.items()
    ]
    return json.dumps({"shard": str(shard), "of": total, "runs": runs}, indent=2) + "\n"


def print_merged(out: Path, merged: Merged) -> None:
    """Print what a results directory holds after others were merged into it."""
    parts = [f"{merged.runs:,} runs ({merged.new:,} new)"]
    for count, one, several in (
        (merged.failed, "failed run", "failed runs"),
        (merged.checkpoints, "unfinished run", "unfinished runs"),
        (merged.sweeps, "sweep", "sweeps"),
    ):
        if count:
            parts.append(f"{count:,} {one if count == 1 else several}")
    _say(f"{out}: {', '.join(parts)}")
    for text in merged.left_out:
        _say(f"not merged: {text}")
    _say(f"`lrlab compare CONFIG... --out {out}` makes the tables and figures")


def _say(text: str) -> None:
    stdout = console(sys.stdout)
    stdout.print(as_text(text), soft_wrap=not stdout.is_terminal)
