"""`lrlab.tune`: each schedule at its own best rate, as a call."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lrlab.config.given import Given
from lrlab.errors import Interrupted
from lrlab.from_python.comparison_call import at_least_1, experiments
from lrlab.from_python.process import folder_of_session, left_alone
from lrlab.from_python.told import AsWarnings, ProgressLine
from lrlab.from_python.tuned import Tuned
from lrlab.results import lock


def tune(
    schedules: Mapping[str, Given] | Sequence[Given],
    *,
    model: Any = None,
    data: Any = None,
    optimizer: Any = None,
    loss: Any = None,
    metric: Any = None,
    batch_size: int | None = None,
    epochs: int | Sequence[int] | None = None,
    validation: str | int | None = None,
    scale: str | None = None,
    class_weight: Mapping[int, float] | None = None,
    grid: Mapping[str, Sequence[Any]] = MappingProxyType({}),
    budget: int = 20,
    seeds: int = 3,
    points: float | None = None,
    out: str | Path | None = None,
    workers: int | None = None,
    trust: Sequence[str] = (),
    data_dir: str | Path | None = None,
    progress: bool = False,
) -> Tuned:
    """Find each schedule's own best rate with equally many runs, and compare them there.

    As `lrlab tune`, with objects in place of names; all arguments that `lrlab.compare` has too are
    those of `lrlab.compare`.

    Args:
        schedules: Schedules by the names of their experiments, or a list.
        model: What is trained.
        data: What it is trained on.
        optimizer: The optimizer.
        loss: The loss.
        metric: The metric.
        batch_size: Samples a step, > 0.
        epochs: Passes over the training data, > 0; several: one budget of training after another.
        validation: What is held out of the training data.
        scale: Whether inputs are standardised.
        class_weight: What the samples of each class count in the loss.
        grid: Several values of keys.
        budget: The most runs per schedule, fresh seeds included, >= `seeds + 5`.
        seeds: The fresh seeds that score each schedule's best rate, >= 1.
        points: How much worse than the best a rate within the width may be: percentage points where
            the metric is a share, by default 0.5, otherwise per cent of the best value, 5.
        out: The results directory.
        workers: Runs side by side, >= 1.
        trust: Files and modules whose code may run because a config names it.
        data_dir: The folder with the Fashion-MNIST files.
        progress: Whether a line on stderr says how far it is.

    Returns:
        The schedules at their best rates: verdict, table, figures, numbers. Schedules that broke
        down at every rate are in it and said to have.

    Raises:
        LrlabError: If anything is wrong with the arguments; before anything is trained.
        KeyboardInterrupt: On Ctrl-C; finished runs are kept, and the same call goes on from there.

    Example:
        >>> rates = {"steady": {"type": "constant", "lr": 0.05}}
        >>> tuned = tune(rates, data="cycling", epochs=1, budget=8)  # doctest: +SKIP
        >>> tuned.best["steady"].lr  # doctest: +SKIP
    """
    report = ProgressLine() if progress else AsWarnings()
    lengths = list(epochs) if isinstance(epochs, Sequence) else []
    settings = {
        "model": model, "data": data, "optimizer": optimizer, "loss": loss, "metric": metric,
        "batch_size": batch_size, "epochs": None if lengths else epochs, "validation": validation,
        "scale": scale, "class_weight": None if class_weight is None else dict(class_weight),
    }  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(left_alone())
        read, known = experiments(schedules, settings, grid, trust, report)
        from lrlab import experiment

        effort = experiment.Effort(at_least_1("budget", budget), at_least_1("seeds", seeds), points)
        folder = folder_of_session() if out is None else Path(out)
        stack.enter_context(lock.hold(folder, report=report))
        try:
            found, configs = experiment.tune(
                read,
                out=folder,
                report=report,
                effort=effort,
                epochs=[at_least_1("epochs", each) for each in lengths],
                workers=None if workers is None else at_least_1("workers", workers),
                data_dir=None if data_dir is None else Path(data_dir),
                known=known,
            )
        except Interrupted as error:
            raise KeyboardInterrupt(f"{error.message}; the same call goes on from there") from None
        experiment.save_tuning(found, folder)
        tuned = Tuned(found, folder, configs)
        if out is not None:
            tuned.draw_into(folder)
        return tuned
