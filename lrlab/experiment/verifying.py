"""Verify suggested rates by short real runs, those of all schedules side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrlab.analysis import chance
from lrlab.experiment.executors.executor import Executor
from lrlab.fields import Purpose, auto_rates, filled
from lrlab.finder import verification
from lrlab.finder.verification import ShortRun, Trial
from lrlab.metric import ACCURACY, Metric
from lrlab.results.run import Guess, RunResult, Status
from lrlab.schedules import Schedule
from lrlab.tasks.setup import Setup
from lrlab.training.engines.engine import Score
from lrlab.training.jobs import RunJob, ShortJob


@dataclass(frozen=True)
class Question:
    """Which rates a schedule wants: its `auto` ones are moved together.

    Args:
        setup: What is trained.
        schedule: The schedule, with at least one rate `auto`.
        epochs: Epochs of the run that is to be verified.
        suggested: What the sweep suggests.
    """

    setup: Setup
    schedule: Schedule
    epochs: int
    suggested: Mapping[Purpose, float]

    @property
    def steps(self) -> int:
        """Steps of each short run: those of the whole run, or as many as are allowed."""
        return min(self.setup.length(self.epochs).steps, verification.MOST_STEPS)

    def rates(self, factor: float) -> dict[Purpose, float]:
        """Return the suggestions times a factor."""
        return {purpose: lr * factor for purpose, lr in self.suggested.items()}

    def lr(self, factor: float) -> float:
        """Return the rate that stands for those of a trial: the first that is `auto`."""
        return self.rates(factor)[next(iter(auto_rates(self.schedule).values()))]

    def job(self, trial: Trial) -> RunJob | ShortJob | None:
        """Return the run of a trial, None where its rates do not fit the schedule.

        A run that is longer than allowed is tried by its curve squeezed into fewer steps, a closed
        loop by the rate that it begins with.
        """
        try:
            schedule = filled(self.schedule, self.rates(trial.factor))
        except ValueError:
            return None
        seed = verification.FIRST_SEED + trial.seed
        length = self.setup.length(self.epochs)
        if length.steps <= verification.MOST_STEPS:
            return RunJob(self.setup, schedule, self.epochs, seed)
        whole, _ = schedule.drawn(length)
        return ShortJob(self.setup, whole[np.arange(self.steps) * length.steps // self.steps], seed)


@dataclass(frozen=True)
class Answer:
    """What short runs say: the best rates, None if no run survived, and the runs by rate."""

    rates: Mapping[Purpose, float] | None
    runs: tuple[ShortRun, ...]


def verify(
    questions: Sequence[Question], executor: Executor, guess_of: Callable[[Setup], Guess]
) -> list[Answer]:
    """Answer questions by short runs, side by side.

    Args:
        questions: The questions, all on the same data.
        executor: Carries out the training.
        guess_of: What the best constant guess gives on a setup's validation set; a run that is no
            better has not survived.

    Raises:
        TrainingError: If a run failed.
    """
    tried: list[dict[Trial, Score | None]] = [{} for _ in questions]

    guesses = [guess_of(question.setup) for question in questions]

    def errors(number: int) -> dict[Trial, float | None]:
        metric, guess = questions[number].setup.task.metric, guesses[number]
        return {trial: _error(score, metric, guess) for trial, score in tried[number].items()}

    while asked := [
        (number, trial)
        for number in range(len(questions))
        for trial in verification.proposals(errors(number))
    ]:
        jobs = {each: questions[each[0]].job(each[1]) for each in asked}
        doable = {each: job for each, job in jobs.items() if job is not None}
        given = dict(zip(doable, executor.results(list(doable.values())), strict=True))
        for number, trial in asked:
            tried[number][trial] = _score(given.get((number, trial)))
    return [
        _answer(question, tried[number], verification.refined(errors(number)))
        for number, question in enumerate(questions)
    ]


def _error(score: Score | None, metric: Metric, guess: Guess) -> float | None:
    """Return what the search compares, None where a run did not survive.

    Where the metric is no share of right answers, that is the loss alone.
    """
    if score is None or chance.no_better(guess, score.score, score.loss, metric):
        return None
    if metric.points:
        return verification.error_of(score.loss, score.score)
    return max(score.loss, 0.0)


def _score(given: RunResult | Score | None) -> Score | None:
    """Return the validation score after a run, None if it broke down."""
    if isinstance(given, RunResult):
        if given.status is not Status.DONE:
            return None
        return Score(given.epochs[-1].val_loss, given.epochs[-1].val_score)
    return given


def _answer(
    question: Question, tried: Mapping[Trial, Score | None], factor: float | None
) -> Answer:
    metric = question.setup.task.metric
    runs = tuple(
        ShortRun(
            schedule=question.schedule.type,
            lr=question.lr(trial.factor),
            val_loss=score.loss if score else None,
            val_accuracy=score.score if score and metric == ACCURACY else None,
            seed=verification.FIRST_SEED + trial.seed,
        )
        for trial, score in sorted(tried.items(), key=lambda each: each[0])
    )
    return Answer(None if factor is None else question.rates(factor), runs)
