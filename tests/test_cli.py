"""The command line: help, exit codes, bad input, JSON, and what must not be imported."""

import gzip
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

import lrlab
from lrlab import console
from lrlab.analysis import summaries
from lrlab.cli import app
from lrlab.cli.group import print_error
from lrlab.errors import LrlabError
from lrlab.metric import ACCURACY
from lrlab.results import lock
from lrlab.results.comparison import Comparison
from lrlab.results.run import EpochResult, RunResult, Status
from lrlab.schedules import SCHEDULES, Length
from lrlab.tasks import fashion_mnist
from lrlab.training.jobs import Progress

STEADY = "schedule: {type: constant, lr: 0.005}\nepochs: 1\n"
WILD = "schedule: {type: constant, lr: 1e6}\nepochs: 1\n"
COMMANDS = [
    "init",
    "find-lr",
    "compare",
    "tune",
    "merge",
    "show",
    "plot",
    "report",
    "check",
    "schedules",
    "export",
    "schema",
]
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def lrlab_cli(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


LIST_MODULES = """
import sys
from lrlab import cli
try:
    cli.main()
finally:
    print("modules:", *sorted(sys.modules), file=sys.stderr)
"""


def in_a_process(*arguments):
    """Run the command line in a process of its own that ends by listing its modules on stderr."""
    command = [sys.executable, "-c", LIST_MODULES, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def snapshot(folder: Path) -> dict[str, bytes]:
    paths = [p for p in folder.rglob("*") if p.is_file() and p.name != lock.NAME]
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths}


def without_checksums(path: Path) -> str:
    """Return what a JSON file says besides its checksums: that is what `--json` prints."""
    said, _, checksums = path.read_text().partition(',\n  "sha256": {')
    assert '"signature": ' in checksums
    return said + "\n}\n"


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Work in the test's own folder, so that default paths end there; a wide, plain terminal."""
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "LRLAB_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")


# --- help ---


def test_version():
    done = lrlab_cli("--version")
    assert (done.exit_code, done.stdout) == (0, f"lrlab {lrlab.__version__}\n")


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_is_a_sentence_and_an_example(command):
    done = lrlab_cli(*command, "--help")
    assert done.exit_code == 0
    assert re.search(rf"Example: lrlab {command[0] if command else ''}", done.stdout)
    assert done.stdout == lrlab_cli(*command, "-h").stdout


def test_help_lists_every_command_with_its_whole_summary():
    rows = lrlab_cli("--help").stdout.split("Commands:\n")[1].splitlines()
    assert [row.split()[0] for row in rows] == COMMANDS
    for row in rows:
        name, summary = row.split(maxsplit=1)
        assert f"\n  {summary}.\n" in lrlab_cli(name, "--help").stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_in_words_and_ends_with_help_itself(command):
    shown = lrlab_cli(command, "--help").stdout
    assert not re.search(r"[<>{]|list\[", shown)
    assert "..." not in re.sub(r"(CONFIG|DIR)\]?\.\.\.", "", shown)
    assert shown.endswith(" Show this message and exit.\n")
    assert max(map(len, shown.splitlines())) <= 80


def test_nothing_to_do_shows_the_help():
    assert "Commands:" in lrlab_cli().output


# --- exit codes and output ---


def test_done(write_config, small_npz, tmp_path):
    config = write_config(STEADY)
    done = lrlab_cli("compare", config, "--data", small_npz, "--seeds", 2)
    assert done.exit_code == 0, done.output
    table, rest = done.stdout.split("\n\n")
    header, row = table.splitlines()
    assert re.split(r"\s{2,}", header.strip()) == [
        "experiment", "schedule", "val accuracy", "best val accuracy", "val loss", "test accuracy",
        "seconds", "status",
    ]  # fmt: skip
    assert re.fullmatch(r"x +constant +0\.\d{4} ± 0\.\d{4} .* done *", row)
    assert rest.splitlines() == [
        "small.npz, mean ± standard deviation over 2 seeds",
        "results: comparison.csv, comparison.md, comparison.json, learning-rate.png, loss.png, "
        "accuracy.png, report.html",
    ]
    first, *finished = done.stderr.splitlines()
    assert first.startswith("training 2 runs")
    pattern = r"x seed [01]: val accuracy 0\.\d{4}, val loss \d\.\d{4}, \d+\.\d s"
    assert all(re.fullmatch(pattern, line) for line in finished)
    assert len(finished) == 2
    for path in (tmp_path / "results").glob("runs/*/*/run.json"):
        command = json.loads(path.read_text())["command"]
        assert command == f"lrlab compare {config} --data {small_npz} --seeds 2"

    # The same command again says the same, and needs no TensorFlow for it.
    again = in_a_process("compare", config, "--data", small_npz, "--seeds", 2)
    said, modules = again.stderr.split("modules:")
    assert (again.returncode, said, again.stdout) == (0, "", done.stdout)
    assert set(modules.split()).isdisjoint({"tensorflow", "keras", "matplotlib.pyplot"})


def test_a_diverged_run_ends_with_1_and_the_others_are_kept(write_config, small_npz, tmp_path):
    files = [write_config(STEADY, "steady.yaml"), write_config(WILD, "wild.yaml")]
    done = lrlab_cli("compare", *files, "--data", small_npz, "--seeds", 1, "--json")
    assert done.exit_code == 1
    found = {e["name"]: e for e in json.loads(done.stdout)["experiments"]}
    assert {name: e["status"] for name, e in found.items()} == {
        "steady": "done", "wild": "diverged",
    }  # fmt: skip
    assert done.stdout == without_checksums(tmp_path / "results" / "comparison.json")
    assert re.search(r"wild seed 0: diverged at step \d+, learning rate 1e\+06\n", done.stderr)


def test_a_collapsed_run_ends_with_1_and_is_told(write_config, small_npz):
    config = write_config("schedule: {type: constant, lr: 1.0e-9}\nepochs: 1\n", "idle.yaml")
    done = lrlab_cli("compare", config, "--data", small_npz, "--seeds", 1)
    assert done.exit_code == 1
    told = r"collapsed: val accuracy 0\.\d{4}, no better than guessing \(0\.2623\)\n"
    assert re.search(f"idle seed 0: {told}", done.stderr)
    assert re.search(f"idle: seed 0 {told}", done.stdout)
    assert re.search(r"^idle +constant +collapsed *$", done.stdout, re.MULTILINE)


@pytest.mark.usefixtures("broken_cnn")
def test_a_comparison_in_which_every_run_fails_ends_with_1(write_config, small_npz, tmp_path):
    config = write_config(STEADY + "model: cnn\n")
    done = lrlab_cli("compare", config, "--data", small_npz, "--seeds", 1)
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    reason = "failed: ValueError: no such luck"
    assert f"x seed 0: {reason}" in done.stderr
    assert f"x: seed 0 {reason}" in done.stdout
    assert (tmp_path / "results" / "loss.png").exists()


def test_find_lr_json_is_the_file_and_nothing_else(small_npz, tmp_path):
    done = lrlab_cli("find-lr", "--data", small_npz, "--seeds", 1, "--steps", 300, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found.keys() >= {"steady_lr", "max_lr", "verdict", "stopped_by", "by_seed", "settings"}
    out = tmp_path / "results" / "find-lr"
    assert done.stdout == without_checksums(out / "sweep.json")
    assert snapshot(out).keys() == {"sweep.csv", "sweep.json", "sweep.png", "report.html"}
    assert done.stderr == ""


def test_find_lr_without_a_verdict_ends_with_1(small_npz):
    arguments = ("--min-lr", "1e-12", "--max-lr", "1e-10", "--seeds", 1, "--steps", 40)
    done = lrlab_cli("find-lr", "--data", small_npz, *arguments)
    assert done.exit_code == 1
    assert "steady_lr" not in done.stdout
    assert re.search(r"^small.npz, mlp, sgd with momentum 0.9, batch size 32; 40 steps from 1e-12",
                     done.stdout, re.MULTILINE)  # fmt: skip


def test_settings_come_after_the_file(write_config, small_npz):
    arguments = ["--epochs", 2, "--set", "batch_size=55", "--set", "schedule.lr=0.002"]
    done = lrlab_cli("compare", write_config(STEADY), "--data", small_npz, "--seeds", 1, *arguments,
                     "--json")  # fmt: skip
    (found,) = json.loads(done.stdout)["experiments"]
    assert found["steps_per_epoch"] == 10
    assert (found["config"]["epochs"], found["config"]["schedule"]["lr"]) == (2, 0.002)


# --- bad input ---


def npz(**arrays):
    def make(path: Path, small: Path) -> list[object]:
        np.savez(path / "bad.npz", **arrays)
        return ["--data", path / "bad.npz"]

    return make


def not_npz(path: Path, small: Path) -> list[object]:
    (path / "bad.npz").write_bytes(b"these are no arrays")
    return ["--data", path / "bad.npz"]


def cut_npz(path: Path, small: Path) -> list[object]:
    (path / "bad.npz").write_bytes(small.read_bytes()[:-200])
    return ["--data", path / "bad.npz"]


def other_idx(path: Path, small: Path) -> list[object]:
    (path / "idx").mkdir()
    for name in fashion_mnist.FILES:
        (path / "idx" / name).write_bytes(gzip.compress(b"something else"))
    return ["--data", "fashion-mnist", "--data-dir", path / "idx"]


def blocked_out(path: Path, small: Path) -> list[object]:
    (path / "file").write_text("in the way")
    return ["--data", small, "--out", path / "file" / "results"]


def options(*given):
    return lambda path, small: [*given, "--data", small]


IMAGES, LABELS = np.zeros((24, 8, 8), np.uint8), np.arange(24) % 4
NO_CURVE = "schedule: {type: constant}"

BAD_COMPARISONS = {
    # name: (config or None for a missing file, arguments, exit code, message, remedy)
    "missing file": (None, options(), 2, "x.yaml: no such file", ""),
    "empty file": ("", options(), 2, "is empty", "schedule: {type: constant, lr: 0.01}"),
    "not YAML": ("schedule: [1, {", options(), 2, "not valid YAML", "x.yaml:1:"),
    "not UTF-8": ("\udcff", options(), 2, "is not UTF-8 text", "save it as UTF-8"),
    "no mapping": ("- 1", options(), 2, "must be a mapping", "x.yaml:1:1"),
    "unknown type": (
        "schedule: {type: one_cicle, max_lr: 1}", options(), 2,
        "unknown type `one_cicle`", "did you mean `one_cycle`?",
    ),
    "missing field": (NO_CURVE, options(), 2, "schedule.lr: missing; it is the rate", "  | ^"),
    "bad unit": (
        "schedule: {type: power, initial_lr: 1, s: 20 batches}", options(), 2,
        "must be a duration, got `20 batches`", "`20 epochs`, `20 steps` or `20%`",
    ),
    "no unit": (
        "schedule: {type: power, initial_lr: 1, s: 20}", options(), 2,
        "needs a unit", "`20 epochs`, `20 steps` or `20%`",
    ),
    "negative rate": (
        "schedule: {type: constant, lr: -0.1}", options(), 2,
        "schedule.lr: must be greater than 0, got -0.1", "x.yaml:1:32",
    ),
    "bad --set": (STEADY, options("--set", "lr"), 2, "`--set lr`", "--set batch_size=128"),
    "--set of no key": (
        STEADY, options("--set", "bach_size=3"), 2, "--set bach_size=3", "did you mean `batch_size`"
    ),
    "--set of a bad value": (
        STEADY, options("--set", "schedule.lr=fast"), 2, "must be a number, got `fast`", "--set"
    ),
    "--epochs 0": (STEADY, options("--epochs", "0"), 2, "must be greater than 0", "--epochs 0"),
    "unknown data": (STEADY, lambda *_: ["--data", "mnist"], 2, "got `mnist`", ".npz"),
    "unknown option": (STEADY, options("--sead", "1"), 2, "no such option", "--seed"),
    "no seeds": (STEADY, options("--seeds", "0"), 2, "invalid value for '--seeds'", ""),
    "missing npz": (
        STEADY, lambda *_: ["--data", "no.npz"], 3, "there is no file `no.npz`", "`--data`"
    ),
    "missing data folder": (
        STEADY, lambda *_: ["--data-dir", "none"], 3, "`none` is not a folder", "--data-dir"
    ),
    "no npz": (STEADY, not_npz, 3, "is not a readable npz file", "numpy.savez_compressed"),
    "npz cut short": (STEADY, cut_npz, 3, "is not a readable npz file", "numpy.savez_compressed"),
    "npz without labels": (STEADY, npz(x_train=IMAGES), 3, "has no `y_train`", "y_train"),
    "npz without images": (STEADY, npz(y_train=LABELS), 3, "has no `x_train`", "x_train"),
    "npz of wrong shape": (
        STEADY, npz(x_train=IMAGES[0, 0], y_train=LABELS[:8]), 3,
        "`x_train` has shape (8,), one number per sample", "`x_train[:, None]`",
    ),
    "npz of unequal lengths": (
        STEADY, npz(x_train=IMAGES, y_train=LABELS[:-1]), 3,
        "`x_train` has 24 rows, `y_train` has 23",
        "each row of one belongs to the same row of the other",
    ),
    "npz with NaN": (
        STEADY, npz(x_train=np.full((24, 3), np.nan), y_train=LABELS), 3, "72 values that are NaN",
        "leave out",
    ),
    "checksum mismatch": (STEADY, other_idx, 3, "is damaged or not the genuine file", "delete it"),
    "unwritable --out": (STEADY, blocked_out, 3, "cannot be written", "`--out`"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_COMPARISONS)
def test_bad_input_of_compare(name, tmp_path, small_npz):
    text, arguments, code, message, remedy = BAD_COMPARISONS[name]
    if text is not None:
        (tmp_path / "x.yaml").write_bytes(text.encode(errors="surrogateescape"))
    kept = tmp_path / "results"
    (kept / "runs").mkdir(parents=True)
    (kept / "comparison.json").write_text("of an earlier comparison")
    before = snapshot(kept)
    done = lrlab_cli("compare", "x.yaml", *arguments(tmp_path, small_npz))
    check_refused(done, code, message, remedy)
    assert snapshot(kept) == before


def check_refused(done, code, message, remedy):
    assert done.exit_code == code, done.output
    assert isinstance(done.exception, SystemExit)  # Anything else would be a traceback.
    assert re.search("^error: ", done.stderr, re.MULTILINE)
    assert message in done.stderr
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_truncated_idx_file(fashion_dir, tmp_path, write_config):
    for name in fashion_mnist.FILES:
        shutil.copy(fashion_dir / name, tmp_path / name)
    cut = tmp_path / next(iter(fashion_mnist.FILES))
    cut.write_bytes(cut.read_bytes()[:100_000])
    done = lrlab_cli("compare", write_config(STEADY), "--data", "fashion-mnist", "--data-dir", ".")
    said = f"`{cut.name}` is damaged or not the genuine file (100,000 bytes"
    check_refused(done, 3, said, "delete it")
    assert [path.name for path in (tmp_path / "results").iterdir()] == [lock.NAME]


def test_all_problems_of_all_files_at_once_and_word_for_word(write_config):
    schedule = "schedule:\n  type: one_cycle\n  max_lr: 1\n  max_rl: 0.5\n"
    write_config("epochs: 0\nmodel: mlp\n" + schedule, "bad.yaml")
    write_config("model: cnm\nschedule: {type: constant, lr: 1}\n", "worse.yaml")
    done = lrlab_cli("compare", "bad.yaml", "worse.yaml")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        "error: 3 problems in 2 files\n"
        "bad.yaml:1:9: epochs: must be greater than 0, got 0\n"
        "  | epochs: 0\n"
        "  |         ^\n"
        "bad.yaml:6:3: schedule.max_rl: unknown key; did you mean `max_lr`?\n"
        "  |   max_rl: 0.5\n"
        "  |   ^\n"
        "worse.yaml:1:8: model: must be mlp, cnn, linear, lenet, cnn_bn, resnet8, attention, "
        "FILE.py:FUNCTION or FILE.keras, got `cnm`; did you mean `cnn`?\n"
        "  | model: cnm\n"
        "  |        ^\n"
    )


def test_a_boundary_past_the_end_is_a_warning(write_config, small_npz):
    text = "schedule: {type: piecewise, values: [0.01, 0.001], boundaries: [5 epochs]}\nepochs: 1\n"
    done = lrlab_cli("compare", write_config(text), "--data", small_npz, "--seeds", 1)
    assert done.exit_code == 0
    assert "warning: " in done.stderr
    assert "`5 epochs` is past the end of the run (1 epoch, 18 steps)" in done.stderr
    assert "the rate 0.001 is never used" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "message", "remedy"),
    [
        (["find-lr", "--min-lr", 1, "--max-lr", 0.1], 2, "got 1 to 0.1", "`--min-lr` below"),
        (["find-lr", "--min-lr", 0], 2, "from above 0", "`--min-lr`"),
        (["find-lr", "--max-lr", "inf"], 2, "inf", "`--max-lr`"),
        (["find-lr", "--min-lr", "nan"], 2, "nan", "`--min-lr`"),
        (["find-lr", "--steps", 1], 2, "invalid value for '--steps'", ""),
        (["find-lr", "none.yaml"], 2, "none.yaml: no such file", ""),
        (["find-lr", "--data", "no.npz"], 3, "there is no file `no.npz`", "`--data`"),
        (["plot"], 3, "`results` is not a directory", "lrlab compare"),
        (["plot", "."], 3, "holds none of `comparison.json`, `tuning.json`", "lrlab find-lr"),
        (["plot", ".", "--format", "gif"], 2, "unknown format `gif`", "png, svg, pdf"),
        (["plot", "none.yaml"], 2, "none.yaml: no such file", ""),
        (["export", "none.yaml"], 2, "none.yaml: no such file", ""),
        (["plot", ".", "none.yaml"], 2, "together with other arguments", "or config files"),
        (["compare"], 2, "missing argument", "CONFIG"),
        (["compare", "--seeds"], 2, "option '--seeds' requires an argument", "--help`"),
        (["train"], 2, "no such command 'train'", "--help`"),
        (["--train"], 2, "no such option: --train", "--help`"),
    ],
)
def test_bad_input_of_the_other_commands(arguments, code, message, remedy, tmp_path):
    done = lrlab_cli(*arguments)
    check_refused(done, code, message, remedy)
    assert snapshot(tmp_path) == {}


def test_equal_names_are_refused(write_config):
    files = [write_config(STEADY, "a/same.yaml"), write_config(STEADY, "b/same.yaml")]
    check_refused(lrlab_cli("compare", *files), 2, "2 experiments are called `same`", "`name:`")


def test_a_bug_keeps_its_traceback(monkeypatch, write_config):
    def broken(*_, **__):
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("lrlab.experiment.compare", broken)
    assert isinstance(lrlab_cli("compare", write_config(STEADY)).exception, ZeroDivisionError)


# --- plot ---


def test_plot_previews_configs_into_results(write_config):
    done = lrlab_cli("plot", write_config(STEADY), "--format", "svg")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "results/schedules.svg\n", "")
    assert Path("results/schedules.svg").stat().st_size > 1_000


# --- colours and the live view ---

DONE = RunResult(
    Status.DONE,
    (EpochResult(0, 0.1, 0.5, 0.8, 0.5, 0.8125),),
    np.float32([0.1]),
    np.float32([0.5]),
    train_seconds=1.0,
)


def two_experiments() -> Comparison:
    config = {"model": "mlp", "optimizer": {}, "batch_size": 32, "epochs": 1}
    return summaries.compare(
        [
            summaries.summarise(
                {"name": name, "schedule": {"type": "constant"}, **config},
                {0: DONE},
                data="small",
                steps_per_epoch=1,
                folders=["runs/x"],
            )
            for name in ("first", "second")
        ]
    )


@pytest.mark.parametrize(("variables", "coloured"), [
    ({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
])  # fmt: skip
def test_no_color_is_respected(variables, coloured, monkeypatch, capsys):
    monkeypatch.setenv("TERM", "xterm-256color")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    console.print_comparison(two_experiments())
    console.LiveReporter().warn("look out")
    captured = capsys.readouterr()
    colour = re.compile(r"\x1b\[[0-9;]*3[0-7]m")
    assert bool(colour.search(captured.out)) == coloured
    assert bool(colour.search(captured.err)) == coloured
    assert "0.8125 *" in ANSI.sub("", captured.out)
    assert ANSI.sub("", captured.err) == "warning: look out\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_messages_are_broken_between_words(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    told = f"`{'a' * 40}` is not what it should be, and a long-winded text says so"
    error = LrlabError(f"{told}\n  | lr: {'1' * 40}\n  |     ^", "do something about it, and soon")
    monkeypatch.setattr(LrlabError, "lines", property(lambda error: error.message.split("\n")))
    shown = {}
    for kind in (Terminal, io.StringIO):
        monkeypatch.setattr(sys, "stderr", stream := kind())
        print_error(error)
        console.LiveReporter().warn("one two three four five six seven eight nine ten")
        shown[kind] = ANSI.sub("", stream.getvalue())
    assert shown[Terminal].split("\n") == [
        "error:",
        f"`{'a' * 40}`",
        "is not what it should be, and",
        "a long-winded text says so",
        f"  | lr: {'1' * 40}",
        "  |     ^",
        "",
        "hint: do something about it,",
        "and soon",
        "warning: one two three four ",
        "five six seven eight nine ten",
        "",
    ]
    assert len(shown[io.StringIO].split("\n")) == 7


class PlannedRun:
    name, seed, length = "power", 1, Length(10, 2)
    setup = SimpleNamespace(task=SimpleNamespace(metric=ACCURACY))


def test_a_terminal_shows_a_row_for_each_run_at_work(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    report, run = console.LiveReporter(), PlannedRun()
    with report.planned([run], 2, 0, 1):
        report.progress(run, Progress(12, 0.025, 0.75, 0.8125))
    shown = ANSI.sub("", sys.stderr.getvalue())
    assert "training 1 run; 2 finished before" in shown
    assert re.search(r"experiment +seed +epoch +learning rate +loss +val accuracy", shown)
    assert re.search(r"power +1 +2/2 +0\.025 +0\.750 +0\.8125", shown)
    assert "60%" in shown
    assert sys.stdout.getvalue() == ""


# --- what is imported ---


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["compare", "bad.yaml"], 2), (["--version"], 0)]
)
def test_help_and_config_errors_import_nothing_heavy(arguments, code, write_config):
    write_config(NO_CURVE, "bad.yaml")
    done = in_a_process(*arguments)
    assert done.returncode == code
    said, modules = done.stderr.split("modules:")
    assert bool(said) == (code != 0)
    loaded = set(modules.split())
    assert "lrlab.cli" in loaded
    heavy = {"tensorflow", "keras", "matplotlib", *(["numpy"] if code == 0 else [])}
    assert loaded.isdisjoint(heavy)


def test_python_m_lrlab_is_the_same_program():
    done = subprocess.run(
        [sys.executable, "-m", "lrlab", "--version"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == (f"lrlab {lrlab.__version__}\n", "")


# --- schedules ---


def test_schedules_lists_every_type_in_80_columns():
    done = lrlab_cli("schedules")
    assert (done.exit_code, done.stderr) == (0, "")
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("  ")]
    assert [row[0] for row in rows] == list(SCHEDULES)
    assert all(re.fullmatch("[▁▂▃▄▅▆▇█]{12}", row[1]) for row in rows)
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert not ANSI.search(done.stdout)


@pytest.mark.parametrize(
    ("name", "width"), [*((name, 80) for name in SCHEDULES), ("wsd", 60), ("wsd", 200)]
)
def test_schedules_shows_all_about_one(name, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    done = lrlab_cli("schedules", name)
    assert (done.exit_code, done.stderr) == (0, "")
    schedule, shown = SCHEDULES[name], done.stdout
    entry = schedule.entry
    words = " ".join(shown.split())
    assert shown.startswith(f"{name}  {schedule.description()}\n")
    assert re.search("[\u2801-\u28ff]", shown)
    for text in (entry.formula, entry.example):
        assert "\n".join(f"  {line}" for line in text.splitlines()) in shown
    for text in (*entry.traps, *(given.name for given in entry.names)):
        assert text in words
    assert all(origin.link in shown for origin in entry.origins if origin.link)
    for key, field in SCHEDULES[name].keys().items():
        assert key == "type" or re.search(rf"^  {key} ", shown, re.MULTILINE)
        assert (field.description or "") in words
    if width >= 80:
        assert max(map(len, shown.splitlines())) <= min(width, 100)


def test_schedules_knows_the_names_of_others():
    done = lrlab_cli("schedules", "steplr")
    head, rest = done.stdout.split("\n", 1)
    assert head == "`steplr` (PyTorch) is `step` here"
    assert rest == lrlab_cli("schedules", "step").stdout
    both = lrlab_cli("schedules", "ReduceLROnPlateau").stdout
    assert both.startswith("`ReduceLROnPlateau` (Keras, PyTorch, fastai) is `performance` here\n")


def test_the_guide_shows_what_schedules_prints(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    page = Path(__file__).parents[1] / "docs" / "guides" / "compare.md"
    text = page.read_text(encoding="utf-8")
    block = text.split("$ lrlab schedules CosineAnnealingLR", 1)[1].split("\n", 1)[1]
    shown = [
        line.rstrip() for line in lrlab_cli("schedules", "CosineAnnealingLR").stdout.split("\n")
    ]
    expected = block.split("\n...\n")[0].split("\n")
    assert len(expected) > 10
    assert shown[: len(expected)] == expected


def test_schedules_refuses_an_unknown_name():
    done = lrlab_cli("schedules", "cosin")
    check_refused(done, 2, "unknown schedule `cosin`", "did you mean `cosine`?")


def test_schedules_as_json():
    everything = json.loads(lrlab_cli("schedules", "--json").stdout)
    assert [one["type"] for one in everything] == list(SCHEDULES)
    assert json.loads(lrlab_cli("schedules", "SGDR", "--json").stdout) == next(
        one for one in everything if one["type"] == "cosine_restarts"
    )


@pytest.mark.parametrize("arguments", [["schedules"], ["schedules", "wsd"], ["plot", "x.yaml",
                                       "--terminal"]])  # fmt: skip
def test_where_stdout_is_ascii_nothing_else_is_printed(arguments, write_config):
    write_config(STEADY)
    done = CliRunner(charset="ascii").invoke(app, arguments)
    assert done.exit_code == 0
    assert done.stdout_bytes.isascii()
    assert b"#####" in done.stdout_bytes or b"****" in done.stdout_bytes


def test_schedules_imports_nothing_heavy():
    done = in_a_process("schedules", "cosine")
    assert done.returncode == 0
    loaded = set(done.stderr.split("modules:")[1].split())
    assert loaded.isdisjoint({"tensorflow", "keras", "matplotlib"})


# --- plot --terminal ---


@pytest.mark.parametrize("width", [60, 80, 120])
def test_plot_in_the_terminal_draws_the_curves_and_writes_nothing(
    width, write_config, tmp_path, monkeypatch
):
    monkeypatch.setenv("COLUMNS", str(width))
    files = [write_config(STEADY, "steady.yaml"), write_config(WILD, "wild.yaml")]
    before = snapshot(tmp_path)
    done = lrlab_cli("plot", *files, "--terminal")
    assert done.exit_code == 0
    assert snapshot(tmp_path) == before
    lines = done.stdout.splitlines()
    assert (lines[0], lines[-2:]) == ("learning rate", ["A  steady", "B  wild"])
    assert max(map(len, lines)) == width
    assert re.search("[\u2801-\u28ff]A", done.stdout)
    assert not ANSI.search(done.stdout)


def test_plot_in_a_coloured_terminal_tells_curves_apart_by_colour(write_config, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    files = [write_config(STEADY, "steady.yaml"), write_config(WILD, "wild.yaml")]
    done = lrlab_cli("plot", *files, "--terminal")
    assert {"\x1b[36m", "\x1b[33m"} <= set(ANSI.findall(done.stdout))
    assert "A  steady" in ANSI.sub("", done.stdout)


@pytest.mark.parametrize("how", [[], ["--terminal"]])
def test_plot_warns_of_what_cannot_be_meant(how, write_config):
    path = write_config("schedule: {type: step, initial_lr: 0.1, every: 20 epochs}\n")
    done = lrlab_cli("plot", path, *how)
    assert done.exit_code == 0
    assert "warning: " in done.stderr
    assert "the rate stays at 0.1 for all 17,190 steps" in done.stderr
    assert "stays" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message", "remedy"),
    [
        (["x.yaml", "--terminal", "--out", "o"], "`--terminal` writes no file", "leave out"),
        (["x.yaml", "--terminal", "--format", "svg"], "`--terminal` writes no file", "leave out"),
        ([".", "--terminal"], "`.` is no config", "give config files"),
        (["--terminal"], "`results` is no config", "give config files"),
    ],
)
def test_bad_input_of_plot_in_the_terminal(arguments, message, remedy, write_config):
    write_config(STEADY)
    check_refused(lrlab_cli("plot", *arguments), 2, message, remedy)
