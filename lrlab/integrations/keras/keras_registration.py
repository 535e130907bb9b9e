"""Makes `KerasSchedule` known to Keras, so that `keras.models.load_model` finds it.

Keras knows a class only once its module has been imported, and lrlab does not import Keras by
itself. So that follows Keras' own import, whichever of the two comes first.
"""

import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_HOME = "lrlab.integrations.keras.keras_schedule"


def register_with_keras() -> None:
    """Register `KerasSchedule` now if Keras is imported, else as soon as it is."""
    if sys.modules.get("keras") is not None:
        importlib.import_module(_HOME)
    else:
        sys.meta_path.insert(0, _AfterKeras())


class _AfterKeras:
    """Lets the import of `keras` end with the import of the module that registers the class.

    How Keras is found and loaded is left to the other finders.
    """

    def __init__(self) -> None:
        self._looking = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of `keras` as the other finders give it, and None for all else."""
        if name != "keras" or self._looking:
            return None
        self._looking = True
        try:
            spec = importlib.util.find_spec(name)
        finally:
            self._looking = False
        if spec is not None and spec.loader is not None:
            self._extend(spec)
        return spec

    def _extend(self, spec: ModuleSpec) -> None:
        loader = spec.loader
        assert loader is not None
        load = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            importlib.import_module(_HOME)

        loader.exec_module = exec_module  # type: ignore[method-assign]
