"""lrlab: which learning rate, which schedule? Answered by measurement.

>>> import lrlab
>>> experiment = lrlab.load("configs/power.yaml")
>>> lrlab.rates(experiment.schedule, steps_per_epoch=1719, epochs=experiment.epochs).shape
(17190,)
"""

from typing import TYPE_CHECKING, Any

from lrlab.integrations.keras.keras_registration import register_with_keras

if TYPE_CHECKING:
    from lrlab.analysis.best_set import best_set
    from lrlab.config import load
    from lrlab.config.given import rates
    from lrlab.errors import LrlabError
    from lrlab.finder.predicted_scale import predicted_scale
    from lrlab.finder.suggestion import suggest
    from lrlab.from_python.comparison_call import compare, load_results
    from lrlab.from_python.tuning_call import tune
    from lrlab.integrations.keras.keras_finder import find_lr
    from lrlab.integrations.keras.keras_loop import KerasLoop
    from lrlab.integrations.keras.keras_momentum import KerasMomentum
    from lrlab.integrations.keras.keras_schedule import KerasSchedule

__version__ = "0.1.0"

__all__ = [
    "KerasLoop",
    "KerasMomentum",
    "KerasSchedule",
    "LrlabError",
    "__version__",
    "best_set",
    "compare",
    "find_lr",
    "load",
    "load_results",
    "predicted_scale",
    "rates",
    "suggest",
    "tune",
]

# Imported when first used, so that `lrlab --help` needs neither numpy nor pydantic.
_HOMES = {
    "KerasLoop": "lrlab.integrations.keras.keras_loop",
    "KerasMomentum": "lrlab.integrations.keras.keras_momentum",
    "KerasSchedule": "lrlab.integrations.keras.keras_schedule",
    "LrlabError": "lrlab.errors",
    "best_set": "lrlab.analysis.best_set",
    "compare": "lrlab.from_python.comparison_call",
    "find_lr": "lrlab.integrations.keras.keras_finder",
    "load": "lrlab.config",
    "load_results": "lrlab.from_python.comparison_call",
    "predicted_scale": "lrlab.finder.predicted_scale",
    "rates": "lrlab.config.given",
    "suggest": "lrlab.finder.suggestion",
    "tune": "lrlab.from_python.tuning_call",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module `lrlab` has no attribute `{name}`")
    import importlib

    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)


# Last: where Keras is loaded already, this imports modules that need the names above.
register_with_keras()
