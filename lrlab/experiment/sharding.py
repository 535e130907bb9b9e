"""`compare --shard`: train a part of a comparison's runs here, and leave the others to others."""

from collections.abc import Sequence
from pathlib import Path

from lrlab.config import Config
from lrlab.experiment import choosing, comparing, retraining, running
from lrlab.experiment.executors.executor import MakeExecutor
from lrlab.experiment.executors.threads import Threads
from lrlab.experiment.planning import Run
from lrlab.experiment.portion import Shard
from lrlab.reporter import Reporter
from lrlab.results.run import RunResult, Status


def train_shard(
    configs: Sequence[Config],
    shard: Shard,
    *,
    out: Path,
    seeds: Sequence[int],
    report: Reporter,
    workers: int | None = None,
    data_dir: Path | None = None,
    fresh: bool = False,
    keep_weights: bool = False,
    command: str | None = None,
    executor: MakeExecutor = Threads,
) -> dict[Run, RunResult]:
    """Train a shard of the runs that `compare` would train, as far as that is not done yet.

    The runs are counted seed by seed, so that every shard has runs of as many experiments as
    possible. Rates that are `auto` are found for the experiments of the shard alone: what a sweep
    finds is a function of the setup, so that all shards find the same. Nothing is summarised: what
    a part of the runs says is not the comparison.

    Only for who holds the lock of the results directory; arguments and errors are those of
    `compare`.

    Returns:
        The results of the shard's runs; those without a rate have failed.
    """
    configs, resolved = comparing.admitted(configs, out, data_dir, report)
    pairs = [(number, seed) for seed in seeds for number in range(len(configs))]
    mine: dict[int, list[int]] = {}
    for number, seed in shard.of(pairs):
        mine.setdefault(number, []).append(seed)
    this = retraining.command_of(configs, len(seeds), keep_weights, f"seeds {seeds} shard {shard}")
    old = retraining.begin(out, this, report) if fresh else None
    chosen = choosing.choose(
        [configs[number] for number in mine],
        resolved,
        out=out,
        old=old,
        report=report,
        workers=workers,
        executor=executor,
    )
    plans = comparing.planned(chosen, resolved, list(mine.values()), out, report)
    refused = {
        run: RunResult(Status.FAILED, error=choice.refused)
        for choice, runs in plans
        for run in runs
        if choice.refused is not None
    }
    results = running.carry_out(
        [run for choice, runs in plans for run in runs if choice.refused is None],
        workers=workers,
        report=report,
        old=old,
        keep_weights=keep_weights,
        command=command,
        executor=executor,
    )
    retraining.end(out, this)
    return refused | results
