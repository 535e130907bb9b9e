"""What has to be there before training: TensorFlow imported and the data read, at the same time."""

import functools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from lrlab.config import Config
from lrlab.io import device, quiet
from lrlab.reporter import Reporter
from lrlab.tasks import data
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.wanted import Wanted

if TYPE_CHECKING:
    from lrlab.training.engines.tensorflow import Engines


class _Task(threading.Thread):
    """A function in a background thread; `result` waits for it and passes its exception on."""

    def __init__(self, function: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._function = function
        self._outcome: Any = None
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        """Call the function."""
        try:
            self._outcome = self._function()
        except BaseException as error:  # It is raised again where the result is asked for.
            self._error = error

    def result(self) -> Any:
        """Return what the function returned; Ctrl-C gets through while waiting."""
        while self.is_alive():
            self.join(0.1)
        if self._error is not None:
            raise self._error
        return self._outcome


def prepare(sources: Iterable[DataSource]) -> "Engines":
    """Import TensorFlow and read the data sets; return what makes engines on them.

    The main thread only waits, so that Ctrl-C works while TensorFlow is being imported.

    Raises:
        DataError: If a data set is damaged.
    """
    sources = list(sources)
    quiet.prepare_tensorflow()  # Before there are threads.
    imported = _Task(_import_engines)
    arrays = {
        source: _Task(functools.partial(data.load, source))
        for source in dict.fromkeys(sources)
        if source.streamed is None
    }
    streamed = {source: source.streamed for source in sources if source.streamed is not None}
    loaded = {source: task.result() for source, task in arrays.items()} | streamed
    engines: Engines = imported.result()(loaded)
    return engines


def resolve(
    configs: Sequence[Config],
    data_dir: Path | None,
    report: Reporter,
    known: Mapping[Wanted, DataSource] = MappingProxyType({}),
) -> dict[Wanted, DataSource]:
    """Return the data that configs ask for, each read once; those that are known stay as they are.

    Raises:
        DataError: If a data set cannot be had.
        CodeError: If a user's function fails.
    """
    asked = {each.experiment.wanted: each.trusted for each in configs}
    asked = {wanted: trusted for wanted, trusted in asked.items() if wanted not in known}
    if any(wanted.is_code for wanted in asked):
        with report.waiting("Loading TensorFlow"):
            load_tensorflow()
    with report.waiting("Looking for the data"):
        return dict(known) | {
            wanted: data.resolve(wanted, data_dir, report.warn, trusted=trusted)
            for wanted, trusted in asked.items()
        }


def load_tensorflow() -> None:
    """Import TensorFlow and set it up; the main thread only waits, so that Ctrl-C works."""
    quiet.prepare_tensorflow()
    _Task(_import_engines).result()


def _import_engines() -> Any:
    from lrlab.training.engines.loaded import settle_keras
    from lrlab.training.engines.machine import device as found

    settle_keras()
    device.check(found())

    from lrlab.training.engines.tensorflow import Engines

    return Engines
