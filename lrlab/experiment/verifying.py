"""Verify suggested rates by short real runs, those of all schedules side by side."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lrlab.analysis import chance
from lrlab.experiment.executors.executor import Executor
from lrlab.fields import Purpose, auto_rates, filled
from lrlab.finder import verification
from lrlab.finder.trials import FIRST_SEED, Trial
from lrlab.finder.verification import ShortRun
from lrlab.metric import ACCURACY, LOSS, Metric
from lrlab.reporter import Reporter
from lrlab.results.run import Guess, RunResult, Status
from lrlab.schedules import Schedule
from lrlab.tasks.setup import Setup
from lrlab.training.engines.engine import Score
from lrlab.training.jobs import Event, Progress, Result, RunJob, ShortJob


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
        seed = FIRST_SEED + trial.seed
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


Tried = dict[Trial, Score | None]
"""What trials gave; None: the run broke down."""

Keep = Callable[[int, Tried], None]
"""Takes the number of a question, and what all its trials so far gave."""

NOBODY = Reporter()


def verify(
    questions: Sequence[Question],
    executor: Executor,
    guess_of: Callable[[Setup], Guess],
    *,
    report: Reporter = NOBODY,
    known: Sequence[Tried] = (),
    keep: Keep = lambda number, tried: None,
) -> list[Answer]:
    """Answer questions by short runs, side by side.

    Args:
        questions: The questions, all on the same data.
        executor: Carries out the training.
        guess_of: What the best constant guess gives on a setup's validation set; a run that is no
            better has not survived.
        report: Told how far the runs are.
        known: What trials of each question gave before.
        keep: Called after each run.

    Raises:
        TrainingError: If a run failed.
    """
    guesses = [guess_of(question.setup) for question in questions]
    trials = _Trials(questions, known, report, keep)

    def errors(number: int) -> dict[Trial, float | None]:
        metric, guess = questions[number].setup.task.metric, guesses[number]
        return {
            trial: _error(score, metric, guess) for trial, score in trials.tried[number].items()
        }

    while asked := [
        (number, trial)
        for number in range(len(questions))
        for trial in verification.proposals(errors(number))
    ]:
        trials.carry_out(asked, executor)
    return [
        _answer(question, trials.tried[number], verification.refined(errors(number)))
        for number, question in enumerate(questions)
    ]


class _Trials:
    """The trials of all questions: what they gave, and how far those at work are.

    Attributes:
        tried: What those of each question gave.
    """

    def __init__(
        self, questions: Sequence[Question], known: Sequence[Tried], report: Reporter, keep: Keep
    ) -> None:
        self.tried: list[Tried] = [dict(of) for of in known] or [{} for _ in questions]
        self._questions = questions
        self._report = report
        self._keep = keep
        self._ended = 0
        self._at_work: dict[tuple[int, Trial], float] = {}

    def carry_out(self, asked: Sequence[tuple[int, Trial]], executor: Executor) -> None:
        """Carry out trials, each with the number of its question; those without a job gave nothing.

        Raises:
            TrainingError: If a run failed.
        """
        jobs = {}
        for number, trial in asked:
            job = self._questions[number].job(trial)
            if job is None:
                self.tried[number][trial] = None
            else:
                jobs[number, trial] = job
        of_jobs = list(jobs)
        executor.results(
            list(jobs.values()), lambda index, event: self._hear(*of_jobs[index], event)
        )

    def _hear(self, number: int, trial: Trial, event: Event) -> None:
        """Take note of what a trial tells."""
        question, said = self._questions[number], ""
        if isinstance(event, Progress):
            self._at_work[number, trial] = event.step / question.steps
        elif isinstance(event, Result):
            self._at_work.pop((number, trial), None)
            self._ended += 1
            self.tried[number][trial] = score = _score(event.value)
            said = _said(question, trial, score)
            self._keep(number, self.tried[number])
        self._report.tried(self._ended + sum(self._at_work.values()), said)


def _said(question: Question, trial: Trial, score: Score | None) -> str:
    """Return the line that says what a trial gave."""
    again = ", another seed" if trial.seed else ""
    head = f"{question.schedule.type} at {question.lr(trial.factor):.3g}{again}"
    if score is None:
        return f"{head}: broke down"
    metric = question.setup.task.metric.on("val")
    return f"{head}: {metric.name} {metric.value(score.score)}, val loss {LOSS.value(score.loss)}"


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


def _answer(question: Question, tried: Tried, factor: float | None) -> Answer:
    metric = question.setup.task.metric
    runs = tuple(
        ShortRun(
            schedule=question.schedule.type,
            lr=question.lr(trial.factor),
            val_loss=score.loss if score else None,
            val_accuracy=score.score if score and metric == ACCURACY else None,
            seed=FIRST_SEED + trial.seed,
        )
        for trial, score in sorted(tried.items(), key=lambda each: each[0])
    )
    return Answer(None if factor is None else question.rates(factor), runs)
