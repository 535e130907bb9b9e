"""Finished results in an MLflow store: a parent run for each experiment, a child for each seed.

Nothing is written twice: a run that the store has with the same content stays as it is.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lrlab.errors import ResultsError, UsageError
from lrlab.export.finished import Finished, final, flat
from lrlab.results.comparison import ExperimentSummary
from lrlab.results.run import RunResult, Status

CONTENT, FOLDER = "lrlab.content", "lrlab.run"
"""Tags: the SHA-256 of what was written, and the run's folder in the results directory."""

_OF_METRICS, _OF_PARAMS, _LONGEST = 1_000, 100, 500
"""How much MLflow takes at once: metrics, settings, characters of a setting."""

_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ALLOW_FILE_STORE": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""Nothing is reported to anybody; folders as stores are asked for with an option of MLflow's."""

_STATUS = {Status.DONE: "FINISHED"}


def export(finished: Finished, uri: str) -> str:
    """Write the results into a store; return in words what was done.

    Args:
        finished: The results.
        uri: The store: a folder, `sqlite:///FILE`, or the address of a server.

    Raises:
        UsageError: If MLflow is not installed.
        ResultsError: If the store cannot be used; what was written until then is removed.
    """
    with _environment():
        try:
            from mlflow import MlflowClient
        except ImportError as error:
            raise UsageError(
                "`--to mlflow` needs MLflow, which is not installed",
                "install it with `pip install 'lrlab[mlflow]'`",
            ) from error
        made: list[str] = []
        client: Any = None
        try:
            address = uri if ":" in uri else Path(uri).resolve().as_uri()
            client = MlflowClient(tracking_uri=address)
            written, same = _export(finished, client, made)
        except BaseException as error:  # Ctrl-C as well: all or nothing.
            for run in reversed(made):
                with suppress(Exception):
                    client.delete_run(run)
            if not isinstance(error, Exception):
                raise
            reason = " ".join(str(error).split())
            raise ResultsError(f"cannot write into the store `{uri}`: {reason}") from error
    kept = f", {same} were there already" if same else ""
    return f"{uri}: {written} runs written{kept}"


@contextmanager
def _environment() -> Iterator[None]:
    before = {key: os.environ.get(key) for key in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    try:
        yield
    finally:
        for key, value in before.items():
            os.environ.pop(key, None)
            if value is not None:
                os.environ[key] = value


def _export(finished: Finished, client: Any, made: list[str]) -> tuple[int, int]:
    """Write what is missing, put the ids of new runs into `made`; return how many, and the rest.

    Old runs of another content go once the new ones are complete.
    """
    experiment = _experiment(client, finished.out.resolve().name or "lrlab")
    known = {
        run.data.tags[FOLDER]: run
        for run in _runs(client, experiment)
        if FOLDER in run.data.tags and run.info.run_id not in made
    }
    old, same = [], 0

    def put(folder: str, name: str, content: Mapping[str, Any], parent: str | None = None) -> str:
        """Write a run unless it is there; return its id."""
        nonlocal same
        digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        there = known.get(folder)
        if there is not None:
            tags = there.data.tags
            if (tags.get(CONTENT), tags.get("mlflow.parentRunId")) == (digest, parent):
                same += 1
                return str(there.info.run_id)
            old.append(there.info.run_id)
        tags = {FOLDER: folder, CONTENT: digest, "mlflow.runName": name}
        tags |= {"mlflow.parentRunId": parent} if parent else {}
        run = client.create_run(experiment, tags=tags, start_time=content["began"])
        made.append(run.info.run_id)
        _log(client, run.info.run_id, content)
        client.set_terminated(run.info.run_id, content["status"], content["ended"])
        return str(run.info.run_id)

    for e in finished.comparison.experiments:
        of_all = _of_experiment(finished, e)
        parent = put(Path(e.runs[0]).parent.as_posix(), e.name, of_all)
        for seed, folder, result in finished.of(e):
            of_run = _of_run(finished, e, seed, folder, result)
            put(folder, f"{e.name} seed {seed}", of_run, parent)
    for run in old:
        client.delete_run(run)
    return len(made), same


def _experiment(client: Any, name: str) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found is not None else client.create_experiment(name))


def _runs(client: Any, experiment: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment], max_results=1_000, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _of_experiment(finished: Finished, e: ExperimentSummary) -> dict[str, Any]:
    times = [_times(finished, folder, result) for _, folder, result in finished.of(e)]
    metrics = [
        [f"{key}_{part}", getattr(summary, part), 0]
        for key, summary in e.final.items()
        for part in ("mean", "std")
        if getattr(summary, part) is not None
    ]
    return {
        "params": _params(e),
        "metrics": metrics,
        "status": _STATUS.get(e.status, "FAILED"),
        "began": min((began for began, _ in times), default=0),
        "ended": max((ended for _, ended in times), default=0),
    }


def _of_run(
    finished: Finished, e: ExperimentSummary, seed: int, folder: str, result: RunResult
) -> dict[str, Any]:
    began, ended = _times(finished, folder, result)
    metrics: list[list[Any]] = []
    for at in result.epochs:
        step = (at.epoch + 1) * e.steps_per_epoch
        values = {"lr": at.lr, **finished.values(at)}
        metrics += [[key, value, step] for key, value in values.items()]
    last = len(result.lr)
    metrics += [
        [f"final_{key}", value, last] for key, value in final(e, e.seeds.index(seed)).items()
    ]
    return {
        "params": {**_params(e), "seed": str(seed)},
        "metrics": metrics,
        "status": _STATUS.get(result.status, "FAILED"),
        "began": began,
        "ended": ended,
    }


def _times(finished: Finished, folder: str, result: RunResult) -> tuple[int, int]:
    """Return when a run began and ended, in milliseconds since 1970."""
    ended = (finished.out / folder / "run.json").stat().st_mtime
    return int(1_000 * (ended - result.train_seconds)), int(1_000 * ended)


def _params(e: ExperimentSummary) -> dict[str, str]:
    settings = {"data": e.data, **{k: v for k, v in flat(e.config).items() if k != "name"}}
    return {key: str(value)[:_LONGEST] for key, value in settings.items()}


def _log(client: Any, run: str, content: Mapping[str, Any]) -> None:
    from mlflow.entities import Metric, Param

    params = [Param(key, value) for key, value in content["params"].items()]
    metrics = [
        Metric(key, float(value), content["ended"], step) for key, value, step in content["metrics"]
    ]
    for start in range(0, len(params), _OF_PARAMS):
        client.log_batch(run, params=params[start : start + _OF_PARAMS])
    for start in range(0, len(metrics), _OF_METRICS):
        client.log_batch(run, metrics=metrics[start : start + _OF_METRICS])
