"""What else may help where a sweep gave no rate, as options to paste."""

from lrlab.config import Experiment
from lrlab.finder.suggestion import Verdict
from lrlab.tasks import sizes
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.optimizers import Sgd

LARGE_BATCH = 128
"""A batch size from which on larger batches are no first advice."""


def tip(experiment: Experiment, source: DataSource, verdict: Verdict) -> str:
    """Return what else may help, for `find-lr` and for `compare`; empty where nothing would.

    Args:
        experiment: What was swept.
        source: Its data.
        verdict: What came out.
    """
    if verdict in (Verdict.OK, Verdict.TOO_SHORT):
        return ""
    found = _of_data(source)
    if verdict in (Verdict.NO_DESCENT, Verdict.TOO_NOISY):
        found += _of_training(experiment)
    return "or try " + ", or ".join(found) if found else ""


def unlearned(experiment: Experiment, source: DataSource) -> str:
    """Return what may help where no run of the length of the experiment learned anything."""
    longer = f"`--set epochs={3 * experiment.epochs}`"
    return "try " + ", or ".join([*_of_data(source), *_of_training(experiment), longer])


def _of_data(source: DataSource) -> list[str]:
    which = " and ".join(sizes.unscaled(source))
    return [f"`--set scale=standard`, since the {which} are not standardised"] if which else []


def _of_training(experiment: Experiment) -> list[str]:
    found = ["`--set optimizer.type=adam`"] * isinstance(experiment.optimizer, Sgd)
    larger = experiment.batch_size < LARGE_BATCH
    return found + [f"`--set batch_size={LARGE_BATCH}`"] * larger
