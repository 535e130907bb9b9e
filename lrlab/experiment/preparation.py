"""What has to be there before training: TensorFlow imported and the data read, at the same time."""

import functools
import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from lrlab.tasks import data
from lrlab.tasks.data import DataSource

if TYPE_CHECKING:
    from lrlab.training import Tensors


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


def prepare(sources: Iterable[DataSource]) -> Callable[[DataSource], "Tensors"]:
    """Import TensorFlow and read the data sets; return a function that gives their tensors.

    The main thread only waits, so that Ctrl-C works while TensorFlow is being imported.

    Raises:
        DataError: If a data set is damaged.
    """
    engine = _Task(_import_training)
    arrays = {
        source: _Task(functools.partial(data.load, source)) for source in dict.fromkeys(sources)
    }
    loaded = {source: task.result() for source, task in arrays.items()}
    training = engine.result()
    tensors = {source: training.Tensors.of(dataset) for source, dataset in loaded.items()}
    return tensors.__getitem__


def _import_training() -> Any:
    from lrlab import training
    from lrlab.training import trainer  # noqa: F401 - Starts TensorFlow, beside the reading.

    return training
