"""The short runs of a verification that are kept beside the sweep while it is going on."""

from collections.abc import Mapping
from pathlib import Path

from lrlab.errors import ResultsError
from lrlab.experiment import verifying
from lrlab.experiment.retraining import Old
from lrlab.experiment.verifying import Question
from lrlab.io import reading
from lrlab.reporter import Reporter
from lrlab.results import auto_trials
from lrlab.results.verified_auto import AutoRates
from lrlab.training.engines.engine import Score


class BegunTrials:
    """The short runs of a verification that are kept, so that it goes on where it was cut off.

    Args:
        questions: What they have to answer, by the file that should say what came out.
        old: What is repeated although it was made before.
        report: Told of what cannot be read or written.

    Attributes:
        known: What trials of each question gave before.
    """

    def __init__(
        self, questions: Mapping[Path, Question], old: Old | None, report: Reporter
    ) -> None:
        self._questions = list(questions.items())
        self._report = report
        self._broken = False
        self.known = [self._read(file, question, old) for file, question in self._questions]

    @property
    def runs(self) -> int:
        """How many runs were kept."""
        return sum(map(len, self.known))

    def _read(self, file: Path, question: Question, old: Old | None) -> verifying.Tried:
        path = auto_trials.path_beside(file)
        if not reading.exists(path) or (old and path in old):
            return {}
        try:
            kept = auto_trials.read(path)
        except ResultsError as error:
            self._report.warn(f"{error.message}; the verification starts over")
            return {}
        if kept.suggested != AutoRates.of(question.suggested):
            return {}
        return {trial: gave and Score(*gave) for trial, gave in kept.outcomes().items()}

    def keep(self, number: int, tried: verifying.Tried) -> None:
        """Write what trials gave; where that is not possible the verification goes on."""
        if self._broken:
            return
        file, question = self._questions[number]
        try:
            auto_trials.write(
                auto_trials.path_beside(file),
                question.schedule.model_dump(mode="json"),
                question.epochs,
                AutoRates.of(question.suggested),
                {trial: gave and (gave.loss, gave.score) for trial, gave in tried.items()},
            )
        except ResultsError as error:
            self._broken = True
            self._report.warn(f"{error.message}; if it is cut off, the verification starts over")
