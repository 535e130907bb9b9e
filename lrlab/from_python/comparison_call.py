"""`lrlab.compare` and `lrlab.load_results`: a comparison as a call."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from lrlab import config as configs
from lrlab.config import Config, Experiment, gridded
from lrlab.config.given import Given, schedule_of, whole
from lrlab.config.given import named as named_functions
from lrlab.config.source import Override, Source
from lrlab.config.source import read as read_source
from lrlab.errors import Interrupted, UsageError
from lrlab.from_python.compared import Compared
from lrlab.from_python.process import folder_of_session, left_alone
from lrlab.from_python.stand_ins import DATA, StandIns, source_of, stand_ins
from lrlab.from_python.told import AsWarnings, ProgressLine
from lrlab.reporter import Reporter
from lrlab.results import comparison, lock
from lrlab.results.inspection import check_directory
from lrlab.schedules import Schedule
from lrlab.schedules.own_schedule import own_parts
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.given_code import PYTHON
from lrlab.tasks.stated_task import OwnCode
from lrlab.tasks.wanted import Wanted


def compare(
    schedules: Mapping[str, Given] | Sequence[Given],
    *,
    model: Any = None,
    data: Any = None,
    optimizer: Any = None,
    loss: Any = None,
    metric: Any = None,
    batch_size: int | None = None,
    epochs: int | None = None,
    validation: str | int | None = None,
    scale: str | None = None,
    class_weight: Mapping[int, float] | None = None,
    grid: Mapping[str, Sequence[Any]] = MappingProxyType({}),
    seeds: int = 3,
    out: str | Path | None = None,
    workers: int | None = None,
    fresh: bool = False,
    keep_weights: bool = False,
    trust: Sequence[str] = (),
    data_dir: str | Path | None = None,
    progress: bool = False,
) -> Compared:
    """Train a model under several schedules with several seeds, and say which may be the best.

    As `lrlab compare`, with objects in place of names. What is None is as the config of an
    experiment states it, or else by default as in a config.

    The identity of a function is what Python compiled it to, with all that it uses from around it:
    constants, arrays, other functions and classes, its arguments. So another run of a notebook's
    cell changes nothing, an edit of the code is another experiment, and finished runs are reused.

    In a process that has TensorFlow loaded, it trains with that process's threads, which
    `run.json` records as `threads_per_run`; otherwise it loads TensorFlow as the command does, with
    one intra-op thread per run. Settings of Keras and environment variables stay as they were.

    Args:
        schedules: Schedules by the names of their experiments, or a list. Each is the mapping that
            a config has under `schedule`, a schedule, an experiment, the path of a config, or a
            function of the step as in `lrlab.rates`. In a list, mappings are called as their
            `type`, functions by their name.
        model: The name of a reference model, `FILE.py:FUNCTION`, a function that makes a model and
            gets what its signature names of `input_shape`, `outputs` and `seed`, such a function
            with arguments (`{"build": build, "args": {...}}` or a `functools.partial`), or a Keras
            model. A model is a pattern: its layers are made again for each run, with new weights.
        data: The name of a data set or a path, or `(x, y)`, `(x, y), (x_test, y_test)`, three such
            pairs with validation in the middle, or a dict with `train`, `validation`, `test`; each
            x and y arrays, dicts or tuples of them, or frames. Or a function that returns one of
            these, or streams: a `tf.data.Dataset` or a `keras.utils.PyDataset` in place of a pair.
        optimizer: A name, a mapping as in a config, a Keras optimizer, whose rate plays no part, or
            a function that makes one.
        loss: A name, a function of targets and predictions, or a Keras loss.
        metric: A name, a function of targets and predictions, or `{"name": ..., "mode": "max"}`.
        batch_size: Samples a step, > 0.
        epochs: Passes over the training data, > 0.
        validation: What is held out of the training data: `"10%"`, a number, `"first 5000"`.
        scale: `"standard"` or `"none"`: whether inputs, and the amounts of a regression, are
            standardised; default `"none"` for arrays.
        class_weight: What the samples of each class count in the loss.
        grid: Values to try of keys of a config, as `{"batch_size": [32, 64], "schedule.scale":
            [0.5, 1, 2]}`: each schedule is trained with every combination.
        seeds: How many seeds, >= 1: 0, 1, ... `seeds - 1`.
        out: The results directory, as that of the command; finished runs in it are reused. None:
            one for the life of this process, which `.out` names.
        workers: Runs side by side, >= 1; default one per core.
        fresh: Retrain finished and partial runs.
        keep_weights: Save the final weights of every run.
        trust: Files and modules whose code may run because a config names it.
        data_dir: The folder with the Fashion-MNIST files.
        progress: Whether a line on stderr says how far it is.

    Returns:
        The comparison: verdict, table, figures, numbers. Runs that diverged, collapsed or failed
        are in it and said to be so.

    Raises:
        LrlabError: If anything is wrong with the arguments; before anything is trained.
        KeyboardInterrupt: On Ctrl-C; finished runs are kept, and the same call reuses them.

    Example:
        >>> rates = {"steady": {"type": "constant", "lr": 0.05}}
        >>> compared = compare(rates, data="cycling", epochs=1, seeds=1)  # doctest: +SKIP
        >>> compared.to_pandas()  # doctest: +SKIP
    """
    report = ProgressLine() if progress else AsWarnings()
    seeds = at_least_1("seeds", seeds)
    workers = None if workers is None else at_least_1("workers", workers)
    settings = {
        "model": model, "data": data, "optimizer": optimizer, "loss": loss, "metric": metric,
        "batch_size": batch_size, "epochs": epochs, "validation": validation, "scale": scale,
        "class_weight": None if class_weight is None else dict(class_weight),
    }  # fmt: skip
    with ExitStack() as stack:
        stack.enter_context(left_alone())
        read, known = experiments(schedules, settings, grid, trust, report)
        folder = folder_of_session() if out is None else Path(out)
        stack.enter_context(lock.hold(folder, report=report))
        return _carried_out(
            read,
            folder,
            draw=out is not None,
            seeds=seeds,
            report=report,
            workers=workers,
            data_dir=None if data_dir is None else Path(data_dir),
            fresh=fresh,
            keep_weights=keep_weights,
            known=known,
        )


def experiments(
    schedules: Any,
    settings: Mapping[str, Any],
    grid: Mapping[str, Sequence[Any]],
    trust: Sequence[str],
    report: Reporter,
) -> tuple[list[Config], dict[Wanted, DataSource]]:
    """Return the configs that arguments of a call state, and the data that they hold as objects.

    Args:
        schedules: As in `compare`.
        settings: What all experiments share, by the keys of a config; None: as a config states it.
        grid: As in `compare`.
        trust: Files and modules whose code may run because a config names it.
        report: Told what there is to be known about the data.

    Raises:
        LrlabError: If anything is wrong with the arguments.
    """
    data, settings = settings["data"], dict(settings)
    is_named = data is None or isinstance(data, str | Path)
    settings["data"] = str(data) if isinstance(data, Path) else data if is_named else DATA
    given = stand_ins(settings)
    overrides = given.overrides()
    # Stand-ins may be named; a module of that name is not for lrlab to import.
    trusted = {*configs.consents(overrides, trust), PYTHON}
    configs.checked(_any(), overrides, trusted=trusted)
    sources, functions = _sources(schedules)
    _refuse_to_vary(grid, given, functions, is_named)
    together = gridded.together(sources, gridded.stated(grid, overrides), trusted)
    points = len(together) // len(sources)
    read = [
        replace(
            each,
            experiment=_loaded(each, given.own, functions[number // points]),
            trusted=each.trusted - {PYTHON},
        )
        for number, each in enumerate(together)
    ]
    if is_named:
        return read, {}
    source = source_of(data, settings["validation"], settings["scale"], report)
    return read, {read[0].experiment.wanted: source}


def load_results(folder: str | Path) -> Compared:
    """Return the comparison that a results directory holds; nothing is trained or imported.

    Args:
        folder: The directory, as `lrlab compare` or `lrlab.compare` wrote it.

    Raises:
        ResultsError: If it holds no comparison, or that is damaged.
    """
    out = Path(folder)
    check_directory(out)
    return Compared(comparison.read(out), out)


def _carried_out(read: list[Config], out: Path, *, draw: bool, **options: Any) -> Compared:
    from lrlab import experiment

    try:
        compared, results = experiment.compare(read, out=out, **options)
    except Interrupted as error:
        raise KeyboardInterrupt(f"{error.message}; the same call goes on from there") from None
    experiment.save(compared, out)
    if draw:
        experiment.present(out, compared, results)
    return Compared(compared, out, results)


def at_least_1(name: str, given: Any) -> int:
    """Return a count that was given.

    Raises:
        UsageError: If it is not a whole number of at least 1.
    """
    if (number := whole(name, given)) < 1:
        raise UsageError(f"`{name}` must be at least 1, got {number}")
    return number


def _refuse_to_vary(
    grid: Mapping[str, Any], given: StandIns, functions: Sequence[Any], is_named: bool
) -> None:
    """Refuse a grid over what was given as an object: its settings are the object's own."""
    own = given.own
    objects = {
        "model": own.model, "loss": own.loss, "metric": own.measure, "optimizer": own.optimizer,
        "data": None if is_named else DATA, "schedule": next(filter(None, functions), None),
    }  # fmt: skip
    for key in grid:
        head = str(key).partition(".")[0]
        if objects.get(head) is not None:
            raise UsageError(
                f"`grid[{key!r}]` cannot change a `{head}` that was given as an object",
                f"give one schedule for each, or name the {head} as a config does",
            )


def _any() -> Source:
    """Return what stands for every experiment, so that a wrong argument is told once."""
    return Source("the arguments", data={"schedule": {"type": "constant", "lr": 0.01}})


def _loaded(read: Config, own: OwnCode, function: Any) -> Experiment:
    """Return an experiment with its objects in place of what stands for them."""
    experiment = read.experiment.with_code(own)
    if isinstance(function, Schedule):  # Of code that is loaded already.
        return experiment.model_copy(update={"schedule": function})
    return experiment


def _sources(given: Any) -> tuple[list[Source], list[Schedule | None]]:
    """Return what experiments state, as if each stood in a file of its own.

    Beside each the schedule where it is, or has, a function, of which no text says anything.
    """
    if isinstance(given, Mapping) and (
        isinstance(given.get("type"), str) or callable(given.get("type"))
    ):
        given = [given]
    if isinstance(given, str | Path | Experiment | Schedule) or callable(given):
        given = [given]
    if isinstance(given, Mapping):
        named = list(given.items())
    elif isinstance(given, Sequence):
        named = [(None, each) for each in given]
    else:
        raise UsageError(
            f"`schedules` must be schedules by name, or a list, got {type(given).__name__}",
            'write for example `{"steady": {"type": "constant", "lr": 0.1}}`',
        )
    if not named:
        raise UsageError("`schedules` is empty", "give at least one")
    sources = [_source(name, each) for name, each in named]
    names = Counter(source.data.get("name") for source in sources if not source.text)
    for name, count in names.items():
        if count > 1:
            raise UsageError(
                f"{count} schedules of the list are called `{name}`",
                'give them by names of your own: `{"first": ..., "second": ...}`',
            )
    return sources, [_with_function(each) for _, each in named]


def _with_function(given: Any) -> Schedule | None:
    if isinstance(given, str | Path):
        return None
    if isinstance(given, Mapping) and not named_functions(given)[1]:
        return None
    schedule = schedule_of(given)
    loaded = [part.is_loaded for _, part in own_parts(schedule)]
    return schedule if any(loaded) else None


def _source(name: Any, given: Any) -> Source:
    if isinstance(given, str | Path):
        source = read_source(Path(given))
    else:
        source = Source(f"schedule {name}" if name is not None else "a schedule")
        source.data = _stated(given)
        name = _type_of(given) if name is None else name
    if name is not None and isinstance(source.data, dict):
        if source.text:
            source.override(Override(("name",), name, f"`schedules[{name!r}]`"))
        else:
            source.data = {"name": name, **source.data} | {"name": name}
    return source


def _stated(given: Any) -> dict[str, Any]:
    if isinstance(given, Experiment):
        return given.model_dump(mode="json", exclude_unset=True)
    if isinstance(given, Schedule):
        return {"schedule": given.model_dump(mode="json")}
    if isinstance(given, Mapping):
        return {"schedule": named_functions(given)[0]}
    if callable(given):
        return _stated(schedule_of(given))
    raise UsageError(
        f"a schedule is needed, got {type(given).__name__}",
        "give a mapping as in a config, the path of a config, what `lrlab.load` returns, or a "
        "function of the step",
    )


def _type_of(given: Any) -> str | None:
    if isinstance(given, Experiment):
        return given.name
    stated = given.get("type") if isinstance(given, Mapping) else getattr(given, "type", given)
    if callable(stated):
        return str(getattr(stated, "__name__", "function")).strip("<>")
    return stated if isinstance(stated, str) else None
