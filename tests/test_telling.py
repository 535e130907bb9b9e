"""What a command tells while it works: in a pipe, quietly, with every detail, and in a log."""

import io
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from samples import FAILED, run
from typer.testing import CliRunner

from lrlab import console
from lrlab.cli import app
from lrlab.console.pace import duration
from lrlab.errors import ResultsError
from lrlab.io.log import Log
from lrlab.metric import ACCURACY
from lrlab.reporter import Volume
from lrlab.schedules import Length
from lrlab.training.jobs import Progress

TASK = SimpleNamespace(task=SimpleNamespace(metric=ACCURACY))
CONFIG = "schedule: {type: constant, lr: 0.005}\nepochs: 3\n"
AUTO = "schedule: {type: constant, lr: auto}\nepochs: 1\n"


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


class Piped:
    """A reporter in a pipe, with a clock that the test turns."""

    def __init__(self, monkeypatch, **options):
        self.clock = Clock()
        monkeypatch.setattr(sys, "stderr", stream := io.StringIO())
        self._stream = stream
        self.report = console.LiveReporter(clock=self.clock, **options)

    def lines(self):
        """Return what was printed since the last time."""
        said = self._stream.getvalue().splitlines()
        self._stream.seek(0)
        self._stream.truncate()
        return said


def at(step, score=None):
    return Progress(step, 0.01, 0.5, score)


class Run(SimpleNamespace):
    __hash__ = object.__hash__

    def __str__(self):
        return f"{self.name} seed {self.seed}"


def runs(count):
    return [
        Run(name="power", seed=seed, length=Length(100, 10), setup=TASK) for seed in range(count)
    ]


def test_in_a_pipe_there_is_a_line_of_progress_every_ten_seconds_at_most(monkeypatch):
    piped, (first, second) = Piped(monkeypatch), runs(2)
    with piped.report.planned([first, second], 0, 0, 1):
        assert piped.lines() == ["training 2 runs"]
        for step in range(10, 1000, 10):  # A second each.
            piped.clock.now += 1
            piped.report.progress(first, at(step))
        said = piped.lines()
        assert len(said) == 9
        assert said[0] == "0 of 2 runs done, 5%, about 4 min left"
        piped.report.finished(first, run(0.8))
        (ended,) = piped.lines()
        assert ended.startswith("power seed 0: val accuracy 0.8000")
        piped.clock.now += 20
        piped.report.progress(second, at(10))
        assert piped.lines() == ["1 of 2 runs done, 50%, about 2 min left"]


def test_the_time_left_does_not_count_what_was_done_before(monkeypatch):
    piped, (one,) = Piped(monkeypatch), runs(1)
    with piped.report.planned([one], 0, 1, 1):
        piped.lines()
        piped.report.progress(one, at(800))
        piped.clock.now += 100
        piped.report.progress(one, at(900))
    assert piped.lines() == ["0 of 1 runs done, 90%, about 2 min left"]


def test_short_runs_are_counted_and_told(monkeypatch):
    piped = Piped(monkeypatch)
    with piped.report.trying("Verifying", 14):
        piped.report.tried(0.5)
        piped.clock.now += 30
        piped.report.tried(1.0, "constant at 0.01: val accuracy 0.9, val loss 0.3")
        piped.clock.now += 1
        piped.report.tried(1.5)
    assert piped.lines() == [
        "constant at 0.01: val accuracy 0.9, val loss 0.3",
        "Verifying: 1 of at most 14 runs done, about 7 min left at most",
    ]
    piped.report.tried(3.0, "told to nobody")
    assert piped.lines() == []


def test_quietly_there_are_warnings_alone(monkeypatch):
    piped, (one,) = Piped(monkeypatch, volume=Volume.QUIET), runs(1)
    piped.report.note("a note")
    piped.report.warn("look out")
    with piped.report.waiting("Loading"), piped.report.planned([one], 0, 0, 1):
        piped.clock.now += 60
        piped.report.progress(one, at(500, 0.5))
        piped.report.finished(one, FAILED)
    assert piped.lines() == ["warning: look out"]


def test_a_quiet_terminal_shows_no_live_view(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setattr(sys, "stderr", Terminal())
    report, (one,) = console.LiveReporter(Volume.QUIET), runs(1)
    with report.waiting("Loading"), report.planned([one], 0, 0, 1):
        report.progress(one, at(500, 0.5))
    assert sys.stderr.getvalue() == ""


def test_verbosely_every_epoch_is_told_and_what_takes_time(monkeypatch):
    piped, (one,) = Piped(monkeypatch, volume=Volume.VERBOSE), runs(1)
    with piped.report.waiting("Loading"):
        piped.clock.now += 2.5
    with piped.report.planned([one], 0, 0, 1):
        for step, score in ((50, None), (100, None), (150, 0.7), (200, 0.7), (250, 0.75)):
            piped.report.progress(one, at(step, score))
    assert piped.lines() == [
        "Loading: 2.5 s",
        "training 1 run",
        "power seed 0: epoch 1/10: val accuracy 0.7000",
        "power seed 0: epoch 2/10: val accuracy 0.7500",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "1 s"),
        (59.5, "60 s"),
        (60, "1 min"),
        (5399, "90 min"),
        (5400, "1.5 h"),
        (1e6, "11.6 days"),
    ],
)
def test_durations_are_told_as_people_say_them(seconds, said):
    assert duration(seconds) == said


# --- the log ---


def test_a_log_has_the_time_of_every_line(tmp_path, monkeypatch):
    now = datetime(2026, 11, 24, 14, 5, 6, 789, timezone(timedelta(hours=2)))
    log = Log(tmp_path / "deep" / "a.log", now=lambda: now)
    piped, (one,) = Piped(monkeypatch, volume=Volume.QUIET, log=log), runs(1)
    piped.report.warn("two\nlines \x1b[2J")
    with piped.report.planned([one], 0, 0, 1):
        piped.clock.now += 60
        piped.report.progress(one, at(500))
        piped.report.finished(one, run(0.8))
    log.end(0)
    log.write("too late")
    first, *lines = log.path.read_text().splitlines()
    assert first == "2026-11-24T14:05:06+02:00 warning: two"
    assert [line.removeprefix("2026-11-24T14:05:06+02:00 ") for line in lines] == [
        "warning: lines \\x1b[2J",
        "info: training 1 run",
        "info: 0 of 1 runs done, 50%",
        "info: power seed 0: val accuracy 0.8000, val loss 0.5000, 2.0 s",
        "info: ended with exit code 0 after 0.0 s",
    ]
    assert len(piped.lines()) == 2


def test_a_log_is_appended_to_and_says_who_wrote_it(tmp_path, write_config, small_npz, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = ["compare", str(write_config(CONFIG)), "--data", str(small_npz), "--seeds", "1"]
    loud = CliRunner().invoke(app, [*command, "--verbose", "--log", "a.log"])
    assert loud.exit_code == 0, loud.output
    quiet = CliRunner().invoke(app, [*command, "--quiet", "--log", "a.log"])
    assert (quiet.exit_code, quiet.stderr, quiet.stdout) == (0, "", loud.stdout)
    bad = CliRunner().invoke(app, ["compare", "none.yaml", "--quiet", "--log", "a.log"])
    assert bad.exit_code == 2
    lines = (tmp_path / "a.log").read_text().splitlines()
    stamped = re.compile(r"(\S+) (info|warning|error): (.*)")
    times, kinds, texts = zip(*[stamped.fullmatch(line).groups() for line in lines], strict=True)
    parsed = [datetime.fromisoformat(time) for time in times]
    assert parsed == sorted(parsed)
    assert all(time.tzinfo is not None for time in parsed)
    begun = [text for text in texts if text.startswith("lrlab 0")]
    assert [text.split(": ", 1)[1] for text in begun] == [
        f"lrlab {' '.join(command)} --verbose --log a.log",
        f"lrlab {' '.join(command)} --quiet --log a.log",
        "lrlab compare none.yaml --quiet --log a.log",
    ]
    assert [text[:23] for text in texts if text.startswith("ended")] == [
        f"ended with exit code {code} " for code in (0, 0, 2)
    ]
    epochs = [text for text in texts if re.match(r"x seed 0: epoch \d/3: val accuracy 0\.", text)]
    assert 1 <= len(epochs) <= 2
    assert all(text in loud.stderr for text in epochs)
    assert "training 1 run" in texts
    errors = [text for kind, text in zip(kinds, texts, strict=True) if kind == "error"]
    assert errors[0].startswith("1 problem in `none.yaml`")


def test_the_verification_of_auto_tells_each_run_in_a_pipe(tmp_path, write_config, small_npz):
    command = ["compare", str(write_config(AUTO)), "--data", str(small_npz), "--seeds", "1"]
    done = CliRunner().invoke(app, [*command, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    told = re.findall(
        r"^constant at \S+(?:, another seed)?: val accuracy 0\.\d+, val loss .*$", done.stderr, re.M
    )
    assert len(told) >= 4


def test_a_log_that_cannot_be_opened_is_told_before_anything_is_done(tmp_path, write_config):
    (tmp_path / "file").write_text("")
    for log in (tmp_path, tmp_path / "file" / "a.log"):
        done = CliRunner().invoke(app, ["compare", str(write_config(CONFIG)), "--log", str(log)])
        assert done.exit_code == 3
        assert f"error: `{log}` cannot be written: " in done.stderr
    assert not (tmp_path / "results").exists()


def test_a_full_disk_ends_the_log_and_not_the_work(monkeypatch, mount_disk):
    disk = mount_disk("16k")
    piped = Piped(monkeypatch, log=Log(disk / "a.log"))
    for _ in range(100):
        piped.report.note("x" * 300)
    warnings = [line for line in piped.lines() if line.startswith("warning: ")]
    assert warnings == [
        f"warning: `{disk / 'a.log'}` cannot be written: No space left on device; the log ends here"
    ]


def test_quiet_and_verbose_exclude_each_other(write_config):
    for command in ("compare", "find-lr"):
        done = CliRunner().invoke(app, [command, str(write_config(CONFIG)), "--quiet", "--verbose"])
        assert done.exit_code == 2
        assert done.stderr.startswith("error: `--quiet` and `--verbose` exclude each other")


def test_a_bug_is_in_the_log(tmp_path, write_config, monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr("lrlab.config.consents", broken)
    command = ["compare", str(write_config(CONFIG)), "--log", str(tmp_path / "a.log")]
    assert isinstance(CliRunner().invoke(app, command).exception, RuntimeError)
    text = (tmp_path / "a.log").read_text()
    assert "error: Traceback (most recent call last):" in text
    assert "error: RuntimeError: a bug" in text
    assert text.splitlines()[-1].split(": ")[1].startswith("ended with exit code 1 ")


def test_a_bug_shows_a_plain_traceback_and_nothing_of_rich():
    code = (
        "import lrlab.config.json_schema as broken\n"
        "def bug():\n    secret = 'local'\n    raise ZeroDivisionError('a bug')\n"
        "broken.json_schema = bug\n"
        "from lrlab import cli\ncli.main()"
    )
    env = os.environ | {"FORCE_COLOR": "1", "TERM": "xterm-256color", "COLUMNS": "200"}
    env |= {"PYTHON_COLORS": "0"}  # From 3.13 on Python itself colours tracebacks.
    command = [sys.executable, "-c", code, "schema"]
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    assert (done.returncode, done.stdout) == (1, "")
    first, *_, last = done.stderr.splitlines()
    assert (first, last) == ("Traceback (most recent call last):", "ZeroDivisionError: a bug")
    assert not set("│╭╰─❱\x1b") & set(done.stderr)


def test_a_name_that_cannot_be_a_file_is_an_error(tmp_path):
    with pytest.raises(ResultsError, match="cannot be written: "):
        Log(tmp_path / "a\0b", now=lambda: datetime.now(UTC))
