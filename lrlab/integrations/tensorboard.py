"""Finished results as a log directory of TensorBoard, written by tensorboardX.

DIR/<experiment>/seed-<n>     a session; the seeds of an experiment are a group of HParams
DIR/<experiment>/mean         the mean over the runs that ended well, beside it `mean+std`
and `mean-std`
"""

import math
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lrlab.errors import UsageError
from lrlab.export import owned
from lrlab.export.finished import Finished, final, flat, means
from lrlab.results.comparison import ExperimentSummary
from lrlab.results.run import RunResult, Status

EVENTS = "events.out.tfevents.0.lrlab"
MOST_RATES = 1_000
"""Learning rates of a run that are written; TensorBoard shows no more by default."""

_EXPERIMENT, _START, _END = (
    f"_hparams_/{name}" for name in ("experiment", "session_start_info", "session_end_info")
)


@dataclass(frozen=True)
class _Scalar:
    tag: str
    step: int
    value: float
    seconds: float
    """Since the run began."""


def export(finished: Finished, target: Path) -> list[Path]:
    """Write the log directory, in place of that of an earlier export; return the files.

    Raises:
        UsageError: If tensorboardX is not installed.
        ResultsError: If the folder holds files of others, or cannot be written.
    """
    try:
        from tensorboardX.proto import plugin_hparams_pb2  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "`--to tensorboard` needs tensorboardX, which is not installed",
            "install it with `pip install 'lrlab[tensorboard]'`",
        ) from error
    contents = {EVENTS: _file([], [_experiment(finished)], 0.0)}
    for e in finished.comparison.experiments:
        for seed, folder, result in finished.of(e):
            number = e.seeds.index(seed)
            ended = (finished.out / folder / "run.json").stat().st_mtime
            began = ended - result.train_seconds
            scalars = list(_scalars(finished, e, number, result))
            session = _session(e, result, began, ended)
            contents[f"{e.name}/seed-{seed}/{EVENTS}"] = _file(scalars, session, began)
        for name, summary in _summaries(finished, e).items():
            contents[f"{e.name}/{name}/{EVENTS}"] = _file(summary, [], 0.0)
    return owned.write(target, "tensorboard", contents)


def _scalars(
    finished: Finished, e: ExperimentSummary, number: int, result: RunResult
) -> Iterator[_Scalar]:
    """Yield what a run gave; a step is the number of steps made before."""
    pace = result.train_seconds / max(len(result.lr), 1)
    every = max(1, math.ceil(len(result.lr) / MOST_RATES))
    for step in range(0, len(result.lr), every):
        yield _Scalar("lr", step, float(result.lr[step]), step * pace)
    for at in result.epochs:
        step = (at.epoch + 1) * e.steps_per_epoch
        for key, value in finished.values(at).items():
            yield _Scalar(key, step, value, step * pace)
    for key, value in final(e, number).items():
        yield _Scalar(f"final/{key}", len(result.lr), value, result.train_seconds)


def _summaries(finished: Finished, e: ExperimentSummary) -> dict[str, list[_Scalar]]:
    """Return the mean over several runs, and what is a standard deviation off."""
    found: dict[str, list[_Scalar]] = {"mean": [], "mean+std": [], "mean-std": []}
    for epoch, quantities in means(finished, e):
        for key, values in quantities.items():
            if len(values) < 2:
                return {}
            mean, std = statistics.fmean(values), statistics.stdev(values)
            for name, sign in (("mean", 0), ("mean+std", 1), ("mean-std", -1)):
                step = (epoch + 1) * e.steps_per_epoch
                found[name].append(_Scalar(key, step, mean + sign * std, epoch + 1.0))
    return found if found["mean"] else {}


def _experiment(finished: Finished) -> Any:
    """Return what HParams shows of all sessions: the settings and the final results."""
    from tensorboardX.proto import api_pb2
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    settings: dict[str, Any] = {}
    for e in finished.comparison.experiments:
        settings |= {key: value for key, value in _settings(e).items() if value is not None}
    kinds = {bool: "BOOL", float: "FLOAT64", str: "STRING"}
    infos = [
        api_pb2.HParamInfo(name=key, type=f"DATA_TYPE_{kinds[type(value)]}")
        for key, value in settings.items()
    ]
    metrics = [
        api_pb2.MetricInfo(name=api_pb2.MetricName(tag=f"final/{key}"), display_name=key)
        for key in finished.comparison.experiments[0].final
        if any(e.final[key].mean is not None for e in finished.comparison.experiments)
    ]
    about = api_pb2.Experiment(hparam_infos=infos, metric_infos=metrics)
    return _of_plugin(_EXPERIMENT, HParamsPluginData(experiment=about, version=0))


def _session(e: ExperimentSummary, result: RunResult, began: float, ended: float) -> list[Any]:
    from tensorboardX.proto import api_pb2
    from tensorboardX.proto.plugin_hparams_pb2 import (
        HParamsPluginData,
        SessionEndInfo,
        SessionStartInfo,
    )

    start = SessionStartInfo(group_name=e.name, start_time_secs=began)
    for key, value in _settings(e).items():
        if isinstance(value, bool):
            start.hparams[key].bool_value = value
        elif isinstance(value, float):
            start.hparams[key].number_value = value
        else:
            start.hparams[key].string_value = value
    status = "STATUS_SUCCESS" if result.status is Status.DONE else "STATUS_FAILURE"
    end = SessionEndInfo(status=api_pb2.Status.Value(status), end_time_secs=ended)
    return [
        _of_plugin(_START, HParamsPluginData(session_start_info=start, version=0)),
        _of_plugin(_END, HParamsPluginData(session_end_info=end, version=0)),
    ]


def _settings(e: ExperimentSummary) -> dict[str, bool | float | str]:
    """Return the settings of an experiment as HParams takes them."""
    found: dict[str, bool | float | str] = {"experiment": e.name, "data": e.data}
    for key, value in flat(e.config).items():
        if key == "name" or value is None:
            continue
        number = isinstance(value, int | float) and not isinstance(value, bool)
        found[key] = float(value) if number else value if isinstance(value, bool) else str(value)
    return found


def _of_plugin(tag: str, content: Any) -> Any:
    from tensorboardX.proto.summary_pb2 import Summary, SummaryMetadata

    data = SummaryMetadata.PluginData(plugin_name="hparams", content=content.SerializeToString())
    return Summary(value=[Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=data))])


def _file(scalars: Sequence[_Scalar], others: Sequence[Any], began: float) -> bytes:
    """Return the file of some events, in the order of their steps; always the same bytes."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary
    from tensorboardX.record_writer import RecordWriter

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / EVENTS
        writer = RecordWriter(str(path))
        writer.write(Event(wall_time=began, file_version="brain.Event:2").SerializeToString())
        for summary in others:
            writer.write(Event(wall_time=began, summary=summary).SerializeToString())
        for one in sorted(scalars, key=lambda scalar: scalar.step):
            value = Summary(value=[Summary.Value(tag=one.tag, simple_value=one.value)])
            event = Event(wall_time=began + one.seconds, step=one.step, summary=value)
            writer.write(event.SerializeToString())
        writer.close()
        return path.read_bytes()
