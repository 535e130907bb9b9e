"""Finished results taken along: csv, LaTeX, TensorBoard, MLflow, DVC, read by their readers."""

import csv
import io
import json
import sys
import types
from dataclasses import replace

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

import lrlab
from lrlab.analysis import summaries
from lrlab.cli import app
from lrlab.config import parse
from lrlab.config.grid import GridPoint
from lrlab.errors import ResultsError
from lrlab.export import finished, owned
from lrlab.io import atomic
from lrlab.report import latex
from lrlab.results import comparison, run_folder
from lrlab.results.run import EpochResult, Guess, RunPlace, RunResult, Status
from lrlab.results.run_folder import RunOrigin

STEPS = 4
EPOCHS = 2
SCORES = {"fast_one": (0.90, 0.91, 0.92), "slow": (0.80, 0.81, 0.82)}


def run(score, status=Status.DONE):
    """A run whose accuracy ends at `score`, and whose rate falls."""
    at = [
        EpochResult(n, 0.1 / (n + 1), 1.0 - n / 2, score - 0.2, 0.9 - n / 2, score - 0.1 + n / 10)
        for n in range(EPOCHS)
    ]
    rates = np.repeat([0.1, 0.05], STEPS).astype(np.float32)
    guess = Guess(0.1, 2.3, 100) if status is Status.COLLAPSED else None
    return RunResult(status, tuple(at), lr=rates, loss=rates * 10, guess=guess, test_loss=0.5,
                     test_score=score - 0.01, train_seconds=8.0)  # fmt: skip


@pytest.fixture
def results(tmp_path):
    """A results directory with two experiments of three seeds, one of which collapsed."""
    out = tmp_path / "out"
    experiments = []
    for name, scores in SCORES.items():
        seeds = [run(score) for score in scores]
        if name == "slow":
            seeds[2] = run(0.1, Status.COLLAPSED)
        config = parse(f"name: {name}\nschedule: {{type: linear, initial_lr: 0.1}}\nepochs: 2")
        places = [RunPlace(name, "0" * 10, seed) for seed in range(3)]
        for place, result in zip(places, seeds, strict=True):
            run_folder.write(out / place.path, result, RunOrigin())
        experiments.append(
            summaries.summarise(
                config.experiment.model_dump(mode="json"), dict(enumerate(seeds)), data="x & y",
                steps_per_epoch=STEPS, folders=[place.path for place in places],
            )
        )  # fmt: skip
    hidden = replace(
        experiments[1],
        final={**experiments[1].final, "test_accuracy": summaries.over_seeds([None] * 3)},
    )
    compared = summaries.compare([experiments[0], hidden])
    atomic.write_text(out / comparison.FILE, comparison.to_json(compared))
    return out


def export(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


# --- csv and LaTeX ---


def test_csv_has_a_row_for_every_epoch_of_every_run(results, tmp_path):
    shown = export(results, "--to", "csv")
    rows = list(csv.DictReader(io.StringIO(shown.stdout)))
    assert len(rows) == 2 * 3 * EPOCHS
    assert rows[1] == {
        "experiment": "fast_one", "schedule": "linear", "seed": "0", "status": "done", "epoch": "1",
        "step": "7", "lr": "0.05", "loss": "0.5", "val_loss": "0.4", "accuracy": "0.7",
        "val_accuracy": "0.9",
    }  # fmt: skip
    assert {row["status"] for row in rows if row["experiment"] == "slow"} == {"done", "collapsed"}
    written = export(results, tmp_path / "all.csv", "--to", "csv")
    assert written.stdout == f"{tmp_path / 'all.csv'}\n"
    assert (tmp_path / "all.csv").read_text() == shown.stdout


def test_csv_of_a_grid_has_a_column_per_key(results):
    found = finished.read(results)
    experiments = [
        replace(e, point=GridPoint("base", {"optimizer": {"type": "sgd", "momentum": 0.9}}))
        for e in found.comparison.experiments
    ]
    gridded = replace(found, comparison=replace(found.comparison, experiments=tuple(experiments)))
    from lrlab.export import tidy

    rows = list(csv.DictReader(io.StringIO(tidy.to_csv(gridded))))
    assert (rows[0]["config"], rows[0]["optimizer"]) == ("base", "sgd momentum 0.9")


def test_latex_is_a_booktabs_table_with_escaped_names(results):
    text = export(results, "--to", "latex").stdout
    lines = [line.strip() for line in text.splitlines()]
    assert lines.count("\\toprule") == lines.count("\\midrule") == lines.count("\\bottomrule") == 1
    (row,) = [line for line in lines if line.startswith("fast\\_one")]
    assert row.count(" & ") == lines[lines.index("\\toprule") + 1].count(" & ")
    assert row.endswith(" & done \\\\")
    assert "$0.9100 \\pm 0.0100$" in row
    assert "x \\& y" in text
    assert text.count("{") == text.count("}")


def test_latex_marks_who_may_be_the_best(results):
    read = finished.read(results).comparison
    slow = summaries.summarise(
        read.experiments[1].config, {n: run(score) for n, score in enumerate(SCORES["slow"])},
        data="x & y", steps_per_epoch=STEPS, folders=read.experiments[1].runs,
    )  # fmt: skip
    text = latex.to_latex(summaries.compare([read.experiments[0], slow]))
    assert "\\caption{fast\\_one is the best" in text
    assert "\\textbf{fast\\_one} & " in text
    assert "$\\mathbf{0.9100} \\pm 0.0100$" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a_b", "a\\_b"),
        ("50% of {x}", "50\\% of \\{x\\}"),
        ("\\input{/etc/passwd}", "\\textbackslash{}input\\{/etc/passwd\\}"),
        ("~^#$&", "\\textasciitilde{}\\textasciicircum{}\\#\\$\\&"),
        ("0.5 ± 0.1", "0.5 $\\pm$ 0.1"),
        ("a\x1bb", "a\\textbackslash{}x1bb"),
    ],
)
def test_nothing_in_a_name_is_a_command_of_latex(text, expected):
    assert latex.literal(text) == expected


# --- TensorBoard ---


def test_tensorboard_reads_seeds_as_sessions_of_one_group(results, tmp_path):
    pytest.importorskip("tensorboardX", reason="needs the extra `tensorboard`")
    pytest.importorskip("tensorboard", reason="needs TensorBoard, to read what was written")
    target = tmp_path / "logs"
    first = export(results, target, "--to", "tensorboard")
    assert first.exit_code == 0, first.output
    bytes_before = {path: path.read_bytes() for path in target.rglob("*") if path.is_file()}
    assert export(results, target, "--to", "tensorboard").exit_code == 0
    assert {p: p.read_bytes() for p in target.rglob("*") if p.is_file()} == bytes_before

    runs, groups, tags = read_tensorboard(str(target))
    names = ("mean", "mean+std", "mean-std", "seed-0", "seed-1", "seed-2")
    assert set(runs) == {".", *(f"{name}/{run}" for name in SCORES for run in names)}
    assert {group.name: len(group.sessions) for group in groups} == {"fast_one": 3, "slow": 3}
    first = next(group for group in groups if group.name == "fast_one")
    values = {each.name.tag: each.value for each in first.metric_values}
    assert values["final/val_accuracy"] == pytest.approx(0.91)
    assert values["final/test_accuracy"] == pytest.approx(0.90)
    assert first.hparams["schedule.initial_lr"].number_value == 0.1
    slow = next(group for group in groups if group.name == "slow")
    assert "final/test_accuracy" not in {each.name.tag for each in slow.metric_values}
    assert sorted(session.status for session in slow.sessions) == [1, 1, 2]  # Success, failure.
    mean = [(4, pytest.approx(0.81)), (8, pytest.approx(0.91))]
    assert tags("fast_one/mean", "val_accuracy") == mean
    assert tags("fast_one/mean+std", "val_accuracy")[1] == (8, pytest.approx(0.92))
    assert tags("slow/mean", "val_accuracy")[1] == (8, pytest.approx(0.805))
    assert tags("fast_one/seed-1", "lr") == [
        (step, pytest.approx(0.1 if step < STEPS else 0.05)) for step in range(2 * STEPS)
    ]


def read_tensorboard(folder):
    from tensorboard import context
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.plugins import base_plugin
    from tensorboard.plugins.hparams import api_pb2, backend_context, list_session_groups
    from tensorboard.util import tensor_util

    read = plugin_event_multiplexer.EventMultiplexer()
    read.AddRunsFromDirectory(folder)
    read.Reload()
    provider = data_provider.MultiplexerDataProvider(read, folder)
    about = backend_context.Context(base_plugin.TBContext(data_provider=provider))
    request = api_pb2.ListSessionGroupsRequest(
        start_index=0, slice_size=100, aggregation_type=api_pb2.AGGREGATION_AVG,
        allowed_statuses=[api_pb2.STATUS_SUCCESS, api_pb2.STATUS_FAILURE],
    )  # fmt: skip
    handler = list_session_groups.Handler(context.RequestContext(), about, "", request)

    def tags(name, tag):
        events = read.Tensors(name, tag)
        return [(e.step, float(tensor_util.make_ndarray(e.tensor_proto))) for e in events]

    return read.Runs(), handler.run().session_groups, tags


# --- MLflow ---


@pytest.mark.parametrize(
    "store", ["mlruns", pytest.param("sqlite:///{}/mlflow.db", marks=pytest.mark.slow)]
)
def test_mlflow_reads_a_parent_per_experiment_and_a_child_per_seed(results, tmp_path, store):
    mlflow = pytest.importorskip("mlflow", reason="needs the extra `mlflow`")
    if store.startswith("sqlite"):
        pytest.importorskip("sqlalchemy", reason="needs the extra `mlflow`")
    uri = store.format(tmp_path) if ":" in store else str(tmp_path / store)
    first = export(results, uri, "--to", "mlflow")
    assert (first.exit_code, first.stdout) == (0, f"{uri}: 8 runs written\n")
    again = export(results, uri, "--to", "mlflow")
    assert again.stdout == f"{uri}: 0 runs written, 8 were there already\n"

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        client = mlflow.MlflowClient(uri if ":" in uri else (tmp_path / store).as_uri())
        experiment = client.get_experiment_by_name("out").experiment_id
        runs = {each.info.run_name: each for each in client.search_runs([experiment])}
        assert len(runs) == 8
        parent, child = runs["fast_one"], runs["fast_one seed 1"]
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert parent.data.metrics["val_accuracy_mean"] == pytest.approx(0.91)
        assert child.data.params["schedule.initial_lr"] == "0.1"
        assert child.data.params["seed"] == "1"
        assert child.data.metrics["final_test_accuracy"] == pytest.approx(0.90)
        assert "final_test_accuracy" not in runs["slow seed 0"].data.metrics
        assert runs["slow seed 2"].info.status == "FAILED"
        history = client.get_metric_history(child.info.run_id, "val_accuracy")
        assert [(one.step, one.value) for one in history] == [
            (4, pytest.approx(0.81)), (8, pytest.approx(0.91)),
        ]  # fmt: skip


def test_mlflow_writes_all_or_nothing(results, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow", reason="needs the extra `mlflow`")
    from lrlab.integrations import mlflow as exporter

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    original, calls = exporter._log, []

    def fail_late(client, run_, content):
        calls.append(run_)
        if len(calls) == 4:
            raise OSError("the disk is full")
        original(client, run_, content)

    monkeypatch.setattr(exporter, "_log", fail_late)
    with pytest.raises(ResultsError, match="the disk is full"):
        exporter.export(finished.read(results), str(tmp_path / "mlruns"))
    client = mlflow.MlflowClient((tmp_path / "mlruns").as_uri())
    assert client.search_runs([client.get_experiment_by_name("out").experiment_id]) == []


# --- DVC ---


def test_dvc_files_are_those_of_its_schema(results, tmp_path):
    target = tmp_path / "dvc"
    assert export(results, target, "--to", "dvc").exit_code == 0
    about = yaml.safe_load((target / "dvc.yaml").read_text())
    assert about["params"] == ["params.yaml"]
    assert about["metrics"] == ["metrics/fast_one.json", "metrics/slow.json"]
    params = yaml.safe_load((target / "params.yaml").read_text())
    assert params["fast_one"]["schedule"]["initial_lr"] == 0.1
    first, second = (json.loads((target / name).read_text()) for name in about["metrics"])
    assert first["val_accuracy"] == pytest.approx(0.91)
    assert first["test_accuracy"] == pytest.approx(0.90)
    assert (second["seeds"], second["finished"], "test_accuracy" in second) == (3, 2, False)
    (plot,) = [one["val_accuracy"] for one in about["plots"] if "val_accuracy" in one]
    assert plot["x"] == "epoch"
    for name, column in plot["y"].items():
        rows = list(csv.DictReader((target / name).open()))
        assert [row["epoch"] for row in rows] == ["0", "1"]
        assert all(column in row for row in rows)
    assert float(rows[1]["val_accuracy"]) == pytest.approx(0.805)


def test_what_others_have_written_is_left_alone(results, tmp_path):
    target = tmp_path / "mine"
    target.mkdir()
    (target / "notes.txt").write_text("mine")
    refused = export(results, target, "--to", "dvc")
    assert refused.exit_code == 3
    assert "holds `notes.txt`, which no `lrlab export --to dvc` has written" in refused.stderr
    assert [path.name for path in target.iterdir()] == ["notes.txt"]


def test_an_export_replaces_an_earlier_one_whole(tmp_path):
    owned.write(tmp_path / "x", "dvc", {"a/b.csv": b"1", "c": b"2"})
    owned.write(tmp_path / "x", "dvc", {"c": b"3"})
    left = {p.name for p in (tmp_path / "x").rglob("*") if p.is_file()}
    assert left == {"c", owned.MARKER}
    (tmp_path / "x" / "link").symlink_to("c")
    with pytest.raises(ResultsError, match="holds `link`"):
        owned.write(tmp_path / "x", "dvc", {"c": b"4"})
    assert (tmp_path / "x" / "c").read_bytes() == b"3"


# --- the command ---


@pytest.mark.parametrize(("to", "module"), [("tensorboard", "tensorboardX"), ("mlflow", "mlflow")])
def test_a_missing_extra_is_one_clear_error(results, tmp_path, monkeypatch, to, module):
    for name in [each for each in sys.modules if each.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    ended = export(results, tmp_path / "x", "--to", to)
    assert ended.exit_code == 2
    assert f"pip install 'lrlab[{to}]'" in ended.stderr
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["OUT"], "`--to python` prints the code of a config's schedule"),
        (["OUT", "--to", "paper"], "unknown target `paper`"),
        (["OUT", "--to", "mlflow"], "`--to mlflow` needs a URI"),
        (["OUT", "--to", "dvc"], "`--to dvc` needs a folder"),
        (["CONFIG", "--to", "csv"], "`--to csv` takes a results directory"),
        (["CONFIG", "x.py"], "prints the code of a config's schedule"),
        (["OUT", "--to", "csv", "--set", "epochs=3"], "are not for `--to csv`"),
        (["missing", "--to", "csv"], "is not a directory"),
    ],
)
def test_what_does_not_go_together(results, write_config, arguments, said):
    config = write_config("schedule: {type: constant, lr: 0.1}")
    given = [{"OUT": results, "CONFIG": config}.get(each, each) for each in arguments]
    ended = export(*given)
    assert ended.exit_code in (2, 3)
    assert said in ended.stderr


def test_pytorch_gets_the_rate_of_every_step(write_config, monkeypatch):
    schedule = {"type": "one_cycle", "max_lr": 0.3}
    path = write_config(yaml.safe_dump({"schedule": schedule, "epochs": 2}))
    code = export(path, "--to", "pytorch", "--steps-per-epoch", 50).stdout
    torch = types.ModuleType("torch")
    # PyTorch's own multiplies the optimizer's first rate, 1, by what the function says of a step.
    torch.optim = types.SimpleNamespace(
        lr_scheduler=types.SimpleNamespace(LambdaLR=lambda optimizer, rate: (optimizer, rate))
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    names = {}
    exec(code, names)
    optimizer, rate = names["scheduler"]("the optimizer")
    assert optimizer == "the optimizer"
    expected = lrlab.rates(schedule, steps_per_epoch=50, epochs=2)
    np.testing.assert_array_equal([rate(step) for step in range(100)], expected)
    assert isinstance(rate(0), float)


def test_a_closed_loop_has_no_code_for_pytorch(write_config):
    path = write_config("schedule: {type: performance, initial_lr: 0.1}")
    ended = export(path, "--to", "pytorch")
    assert (ended.exit_code, "is a closed loop" in ended.stderr) == (2, True)
