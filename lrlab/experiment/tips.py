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
    found = []
    if which := " and ".join(sizes.unscaled(source)):
        found.append(f"`--set scale=standard`, since the {which} are not standardised")
    if verdict in (Verdict.NO_DESCENT, Verdict.TOO_NOISY):
        if isinstance(experiment.optimizer, Sgd):
            found.append("`--set optimizer.type=adam`")
        if experiment.batch_size < LARGE_BATCH:
            found.append(f"`--set batch_size={LARGE_BATCH}`")
    return "or try " + ", or ".join(found) if found else ""
