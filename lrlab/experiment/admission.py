"""The door: what a config says is held against its data once, before anything is trained."""

from collections.abc import Iterator, Mapping, Sequence

from lrlab import config
from lrlab.config import Config, Experiment
from lrlab.config.problems import raise_problems, render
from lrlab.errors import UsageError
from lrlab.fields import auto_rates, filled
from lrlab.finder import span
from lrlab.reporter import Reporter
from lrlab.schedules import ClosedLoop, Length
from lrlab.tasks import models, stated_task
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.wanted import Wanted

_TRIED = 15
"""Rates of a sweep that are held against a schedule with `auto`, two per decade."""


def admit(
    configs: Sequence[Config],
    resolved: Mapping[Wanted, DataSource],
    report: Reporter,
    *,
    schedules: bool = True,
) -> None:
    """Refuse configs that cannot be trained on their data; warn of what is probably a mistake.

    Args:
        configs: The experiments.
        resolved: The data that each name means.
        report: Told the warnings.
        schedules: Whether the schedules play a part; those with `auto` have no curve yet, but some
            rate has to give one.

    Raises:
        ConfigError: If any cannot be trained; all problems of all files at once.
    """
    warnings = []
    for each in configs:
        source, experiment = resolved[each.experiment.wanted], each.experiment
        for message, *keys in _not_allowed(experiment, source):
            each.source.problems.append(each.source.problem(message, tuple(keys)))
        if wrong := _misfit(experiment, source):
            message = f"model: {wrong} ({source.name})"
            each.source.problems.append(each.source.problem(message, ("model",)))
        if source.steps is None and experiment.batch_size > source.train_images:
            message = (
                f"batch_size: {experiment.batch_size:,} is more than the {source.train_images:,} "
                "training images, so that an epoch is a single step"
            )
            warnings.append(render(each.source.problem(message, ("batch_size",)), each.source))
        if unknown := _unknown_monitor(experiment, source):
            each.source.problems.append(each.source.problem(*unknown))
        if schedules:
            steps = experiment.setup(source).length(1).steps_per_epoch
            left_out = auto_rates(experiment.schedule)
            config.examine(each, steps, curve=not left_out)
            if left_out and not each.source.problems and (wrong := _unfit(experiment, steps)):
                tried = f"{span.MIN_LR:g} to {span.MAX_LR:g}"
                message = f"schedule: no rate of a sweep ({tried}) fits it: {wrong}"
                each.source.problems.append(each.source.problem(message, ("schedule",)))
    raise_problems(each.source for each in configs)
    _refuse_unlike_metrics(configs, resolved)
    for text in warnings:
        report.warn(text)


def _not_allowed(experiment: Experiment, source: DataSource) -> Iterator[tuple[str, ...]]:
    """Yield what an experiment states that its data or its model do not allow, and under which key.

    It is told of before a setup can be asked for, since some of it would not make one.
    """
    if source.steps is not None and "batch_size" in experiment.model_fields_set:
        yield "batch_size: the data are a stream, which makes its own batches", "batch_size"
    kind, classes = source.task.kind, max(2, source.task.outputs)
    for number in experiment.class_weight or {}:
        if kind not in ("classification", "one-hot", "binary"):
            yield f"class_weight: there are no classes in the targets ({kind})", "class_weight"
            return
        if number >= classes:
            yield (
                f"class_weight: there is no class {number}, classes go up to {classes - 1}",
                "class_weight",
                str(number),
            )
    if wrong := stated_task.loss_misfit(experiment.loss, kind):
        yield f"loss: {wrong}", "loss"
        return
    setup = experiment.setup(source)
    if setup.batch is not None:
        yield from _unlike_batches(setup.batch, experiment, source)


def _unlike_batches(
    batch: int, experiment: Experiment, source: DataSource
) -> Iterator[tuple[str, ...]]:
    """Yield where a model that takes batches of one size would get another one."""
    if experiment.batch_size != batch:
        yield (
            f"batch_size: `{experiment.model_name}` takes batches of {batch} only, "
            f"got {experiment.batch_size}",
            "batch_size" if "batch_size" in experiment.model_fields_set else "model",
        )
    for name, count in source.counts().items():
        if count % batch:
            yield (
                f"model: `{experiment.model_name}` takes batches of {batch} only, and the {name} "
                f"data have {count:,} examples, which leave a smaller one",
                "model",
            )


def _misfit(experiment: Experiment, source: DataSource) -> str | None:
    """Return why a reference model cannot be trained on the data, None if it can."""
    model = experiment.model
    if not isinstance(model, str) or model not in models.NAMES:
        return None
    if source.task.parts is not None:
        return f"`{model}` has one output, and the data have {len(source.task.parts)} targets"
    return models.misfit(model, source.shape, source.vocabulary)


def _unknown_monitor(
    experiment: Experiment, source: DataSource
) -> tuple[str, tuple[str, str]] | None:
    """Return what is wrong with the result that a closed loop watches, and its place."""
    schedule = experiment.schedule
    if not isinstance(schedule, ClosedLoop):
        return None
    metric = experiment.setup(source).task.metric
    known = ("loss", "val_loss", metric.key, metric.on("val").key)
    if schedule.monitor in known:
        return None
    listed = ", ".join(known)
    message = f"schedule.monitor: must be one of {listed}, got `{schedule.monitor}`"
    return message, ("schedule", "monitor")


def _refuse_unlike_metrics(
    configs: Sequence[Config], resolved: Mapping[Wanted, DataSource]
) -> None:
    """Make sure that all experiments are judged by one metric."""
    found = {
        each.experiment.name: each.experiment.setup(resolved[each.experiment.wanted]).task.metric
        for each in configs
    }
    if len({(metric.key, metric.mode) for metric in found.values()}) > 1:
        listed = ", ".join(f"{name} by {metric.name}" for name, metric in found.items())
        raise UsageError(
            f"experiments are compared by one metric, and these have several: {listed}",
            "state the same `metric:` in each, or compare them in separate `--out` directories",
        )


def _unfit(experiment: Experiment, steps_per_epoch: int) -> str | None:
    """Return why no rate for `auto` gives a curve, None if one does."""
    length = Length(steps_per_epoch, experiment.epochs)
    wrong = None
    for share in range(_TRIED):
        rate = span.MAX_LR * (span.MIN_LR / span.MAX_LR) ** (share / (_TRIED - 1))
        try:
            list(filled(experiment.schedule, {"steady_lr": rate, "max_lr": rate}).doubts(length))
        except ValueError as error:
            wrong = wrong or str(error)
        else:
            return None
    return wrong
