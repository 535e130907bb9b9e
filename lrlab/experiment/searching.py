"""The searches for the best rates of several schedules, side by side, with ordinary runs."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lrlab.analysis import tuning_summary
from lrlab.analysis.summaries import final_result
from lrlab.analysis.tuning_summary import score
from lrlab.config import Config
from lrlab.experiment import planning
from lrlab.experiment.planning import Run
from lrlab.finder.rate_search import Search
from lrlab.finder.trials import FIRST_SEED, Trial
from lrlab.io import atomic
from lrlab.metric import LOSS, Metric
from lrlab.reporter import Reporter
from lrlab.results.run import RunResult, Status
from lrlab.results.tuning_record import RunsAtRate, TunedSchedule
from lrlab.tasks.data_source import DataSource

Carry = Callable[[Sequence[Run]], Mapping[Run, RunResult]]
"""Carries out runs, as far as they are not done."""

DIGITS = 4
"""Digits of a `scale` that is tried: a config that states it is short."""


@dataclass(frozen=True)
class Start:
    """A schedule before the search.

    Args:
        config: Its config, every rate known.
        source: Its data.
        suggested: The peak that the sweep suggests, None where it suggests none.
        trouble: Why it cannot be trained, None if it can.
    """

    config: Config
    source: DataSource
    suggested: float | None
    trouble: str | None = None

    def lasting(self, epochs: int | None) -> "Start":
        """Return the same with another budget of training; None: as it is."""
        if epochs is None:
            return self
        experiment = self.config.experiment.model_copy(update={"epochs": epochs})
        return replace(self, config=replace(self.config, experiment=experiment))


@dataclass(frozen=True)
class Seeds:
    """Which seeds search, and which score what was found; the two must not meet.

    Args:
        search: The first of those that search.
        fresh: The first of those that score.
        count: How many score.
    """

    search: int = FIRST_SEED
    fresh: int = 0
    count: int = 3


@dataclass(frozen=True)
class _Outcome:
    """What a run gave, as far as the search needs it."""

    run: Run
    status: Status
    value: float | None
    loss: float | None
    first_loss: float | None
    error: str | None


class Searched:
    """A schedule whose best rate is searched for: what comes next, and what was found.

    Args:
        start: The schedule.
        search: Says which rates come next.
        seeds: The seeds of its runs.
        metric: The final result that decides.
        out: The results directory.
    """

    def __init__(
        self, start: Start, search: Search, seeds: Seeds, metric: Metric, out: Path
    ) -> None:
        self.name = start.config.experiment.name
        self._start, self._search, self._seeds = start, search, seeds
        self._metric, self._out = metric, out
        self._tried: dict[Trial, _Outcome] = {}
        self._fresh: dict[int, _Outcome] = {}
        setup = start.config.experiment.setup(start.source)
        self._length = setup.length(start.config.experiment.epochs)
        self._unit, self._trouble = 1.0, start.trouble
        if start.trouble is None:
            self._unit = start.config.experiment.schedule.unscaled.peak(self._length)
        if self._unit == 0:
            self._trouble = "its rate is 0 throughout"

    @property
    def used(self) -> int:
        """How many runs it has taken."""
        return len(self._tried) + len(self._fresh)

    @property
    def most(self) -> int:
        """How many runs it takes at most."""
        return self.used if self._is_over else self._search.runs + self._seeds.count

    @property
    def _is_over(self) -> bool:
        if self._trouble is not None or self._fresh:
            return True
        return not self._trials() and self._search.chosen(self._scores()) is None

    def wanted(self) -> list[Run]:
        """Return the runs that come next, side by side; none once all is known.

        Those with fresh seeds come when the search is over.
        """
        if self._is_over:
            return []
        if trials := self._trials():
            return [self._run(trial.step, self._seeds.search + trial.seed) for trial in trials]
        chosen, first = self._search.chosen(self._scores()), self._seeds.fresh
        assert chosen is not None
        return [self._run(chosen, seed) for seed in range(first, first + self._seeds.count)]

    def take(self, wanted: Sequence[Run], results: Mapping[Run, RunResult]) -> None:
        """Take note of what the runs gave that were wanted."""
        outcomes = [_outcome(run, results[run], self._metric) for run in wanted]
        if trials := self._trials():
            self._tried |= dict(zip(trials, outcomes, strict=True))
        else:
            self._fresh |= {run.seed: of for run, of in zip(wanted, outcomes, strict=True)}

    @property
    def first_losses(self) -> list[float]:
        """The loss of the first batch of each run, before it was trained, as far as it is known."""
        there = [*self._tried.values(), *self._fresh.values()]
        return [each.first_loss for each in there if each.first_loss is not None]

    @property
    def best_config(self) -> Config | None:
        """The config at its best rate, None where it has none."""
        chosen = self._chosen()
        return None if chosen is None else self._at(chosen)

    def tuned(self) -> TunedSchedule:
        """Return what was found."""
        mode, chosen = self._metric.mode, self._chosen()
        steps = sorted({trial.step for trial in self._tried})
        tried = {step: _runs_at(self._rate(step), self._scale(step), [
            outcome for trial, outcome in sorted(self._tried.items()) if trial.step == step
        ]) for step in steps}  # fmt: skip
        best = None
        if chosen is not None:
            fresh = [self._fresh[seed] for seed in sorted(self._fresh)]
            best = tuning_summary.best_rate(
                list(tried.values()),
                tried[chosen],
                _runs_at(self._rate(chosen), self._scale(chosen), fresh),
                mode,
                self._search.tolerance,
            )
        experiment = (self.best_config or self._start.config).experiment
        found = TunedSchedule(
            name=self.name,
            schedule=Path(experiment.schedule.type).name,
            config=experiment.model_dump(mode="json", exclude={"data"}),
            steps_per_epoch=self._length.steps_per_epoch,
            used=self.used,
            suggested_lr=None if self._start.suggested is None or not tried else tried[0].lr,
            tried=tuple(tried.values()),
            best=best,
            trouble=None if best else self._trouble or self._why_none(),
        )
        return replace(found, regret=tuning_summary.regret(found, mode))

    def _why_none(self) -> str:
        """Return what became of the runs where none survived at any rate."""
        counts = Counter(outcome.status for outcome in self._tried.values())
        lowest, highest = (self._rate(of(trial.step for trial in self._tried)) for of in (min, max))
        ended = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        errors = [outcome.error for outcome in self._tried.values() if outcome.error]
        why = f": {errors[0]}" if errors else ""
        return f"no run survived at any rate from {lowest:.3g} to {highest:.3g} ({ended}){why}"

    def _chosen(self) -> int | None:
        return self._search.chosen(self._scores()) if self._fresh else None

    def _trials(self) -> list[Trial]:
        return [] if self._trouble is not None else self._search.proposals(self._scores())

    def _scores(self) -> dict[Trial, float | None]:
        return {trial: score(of.value, self._metric.mode) for trial, of in self._tried.items()}

    def _scale(self, step: int) -> float:
        centre = self._start.suggested or self._start.config.experiment.schedule.scale * self._unit
        return float(f"{centre / self._unit * 2.0**step:.{DIGITS}g}")

    def _rate(self, step: int) -> float:
        return self._scale(step) * self._unit

    def _at(self, step: int) -> Config:
        """Return the config at the rate of a step."""
        experiment = self._start.config.experiment
        schedule = experiment.schedule.unscaled.times(self._scale(step))
        scaled = experiment.model_copy(update={"schedule": schedule})
        return replace(self._start.config, experiment=scaled)

    def _run(self, step: int, seed: int) -> Run:
        experiment, rate = self._at(step).experiment, self._rate(step)
        (run,) = planning.plan(experiment, self._start.source, [seed], self._out, rate)
        atomic.check_within(self._out, run.folder.parent)
        return run


def carry_out(searches: Sequence[Searched], carry: Carry, report: Reporter) -> None:
    """Carry out searches, what each wants next side by side, until all is known."""
    while any(wanted := [each.wanted() for each in searches]):
        report.searching(sum(each.used for each in searches), sum(each.most for each in searches))
        results = carry([run for runs in wanted for run in runs])
        for each, runs in zip(searches, wanted, strict=True):
            if runs:
                each.take(runs, results)


def _outcome(run: Run, result: RunResult, metric: Metric) -> _Outcome:
    first = None if result.loss is None or not len(result.loss) else float(result.loss[0])
    return _Outcome(
        run,
        result.status,
        final_result(result, metric),
        final_result(result, LOSS.on("val")),
        first,
        result.error,
    )


def _runs_at(rate: float, scale: float, outcomes: Sequence[_Outcome]) -> RunsAtRate:
    return RunsAtRate(
        lr=rate,
        scale=scale,
        seeds=tuple(each.run.seed for each in outcomes),
        statuses=tuple(each.status for each in outcomes),
        values=tuple(each.value for each in outcomes),
        losses=tuple(each.loss for each in outcomes),
        runs=tuple(each.run.place.path for each in outcomes),
    )
