"""Kilobytes do not take gigabytes: each curve is thinned before the next is made or read."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import samples

from lrlab import palette
from lrlab.analysis import summaries
from lrlab.analysis.drawn_runs import Curves, Line, Room
from lrlab.console import characters
from lrlab.results import comparison, run_folder
from lrlab.results.run import RunResult, Status
from lrlab.results.run_folder import RunOrigin

MOST = 600
"""Megabytes that a command may take at its peak; what it imports takes 150 of them."""

PAGE = 4096

linux = pytest.mark.skipif(sys.platform != "linux", reason="asks /proc for the peak")


# `ru_maxrss` of a child is never less than what its parent took when it forked.
MEASURED = """
import re, sys
from lrlab.cli import main
try:
    main()
finally:
    with open("/proc/self/status") as status:
        print(re.search(r"VmHWM:\\s*(\\d+) kB", status.read())[1], file=sys.stderr)
"""


def peak(folder: Path, *words: str) -> float:
    """Run a command; return the most memory that it took, in megabytes."""
    command = [sys.executable, "-c", MEASURED, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stderr.splitlines()[-1]) / 1024


def write_sparsely(path: Path) -> None:
    """Write a file again without its pages of zeros: the same content, hardly any disk."""
    content = path.read_bytes()
    with path.open("wb") as file:
        for start in range(0, len(content), PAGE):
            if any(piece := content[start : start + PAGE]):
                file.seek(start)
                file.write(piece)
        file.truncate(len(content))


def sparse_results(out: Path, runs: int, steps: int) -> None:
    """Make a comparison of runs that differ in one rate of millions; an archive of it is small."""
    results, folders = {}, []
    for seed in range(runs):
        lr = np.zeros(steps, np.float32)
        lr[seed] = 0.1 + seed
        curves = {"lr": lr, "loss": np.zeros(steps, np.float32)}
        folders.append(f"runs/power-0123456789/seed-{seed}")
        results[seed] = samples.run(0.5, 0.6)
        run_folder.write(out / folders[-1], replace(results[seed], **curves), RunOrigin(seed=seed))
        write_sparsely(out / folders[-1] / run_folder.STEPS)
    summary = summaries.summarise(
        samples.CONFIG, results, data="zeros", steps_per_epoch=1, folders=folders
    )
    comparison.write(out, summaries.compare([summary]), {})


@linux
def test_sparse_runs_are_drawn_one_after_another(tmp_path):
    sparse_results(tmp_path / "out", runs=5, steps=5_000_000)
    assert peak(tmp_path, "plot", "out") < MOST


@linux
@pytest.mark.parametrize(("configs", "options"), [(3, ()), (6, ("--terminal",))])
def test_configs_of_many_steps_are_drawn_one_after_another(configs, options, tmp_path):
    names = [f"{index}.yaml" for index in range(configs)]
    for index, name in enumerate(names):
        text = f"schedule: {{type: linear, initial_lr: 0.{index + 1}}}\nepochs: 2900\n"
        (tmp_path / name).write_text(text + "data: sketches\n")
    assert peak(tmp_path, "plot", *names, *options) < MOST


# --- what is drawn of a curve ---


def run(lr: np.ndarray, status: Status = Status.DONE) -> RunResult:
    values = np.asarray(lr, np.float32)
    return RunResult(status, (), values, np.zeros_like(values))


def rates(*curves: np.ndarray, whole: int) -> tuple[Line, ...]:
    return tuple(Curves.of("a", 0, 1, map(run, curves), Room(whole)).rates)


LONG = np.linspace(0.1, 1, 20_000)


@pytest.mark.parametrize("whole", [100_000, 0])
def test_curves_that_begin_others_add_no_line(whole):
    other = np.concatenate([LONG[:7_000], LONG[:100]])
    lines = rates(LONG[:500], LONG, LONG[:12_345], LONG, other, LONG[:19_999], whole=whole)
    assert [line.steps for line in lines] == [20_000, 7_100]


@pytest.mark.parametrize("whole", [100_000, 0])
@pytest.mark.parametrize("place", [0, 10_000, 19_999])
def test_a_curve_with_a_peak_of_its_own_has_a_line_of_its_own(place, whole):
    peaked = LONG.copy()
    peaked[place] = 7
    lines = rates(LONG, peaked, whole=whole)
    assert len(lines) == 2
    assert (place, 7) in zip(lines[1].at.tolist(), lines[1].values.tolist(), strict=True)


def test_the_room_of_a_figure_is_shared():
    room = Room(30_000)
    lines = [room.line(LONG + number) for number in range(3)]
    assert [line.width for line in lines] == [1, 20, 20]
    assert all(len(line.values) <= 2_002 for line in lines[1:])
    short = room.line(np.ones(9_000))
    assert len(short.values) == 9_000
    assert room.line(np.ones(4_000)).width == 1


def test_a_curve_that_gives_way_to_a_longer_one_gives_its_room_back():
    (line,) = rates(LONG[:10_000], LONG, whole=20_000)
    assert (line.steps, line.width) == (20_000, 1)


def test_the_extremes_of_a_thinned_curve_are_those_of_all_its_values():
    values = np.zeros(50_000, np.float32)
    values[[7, 8, 9]] = 0.5, 0.25, 1
    line = Room(0).line(values)
    assert line.extremes.tolist() == [0.25, 1]
    assert Room(0).line(values * 0).extremes.tolist() == []


def test_an_experiment_without_a_style_is_thinned_although_there_is_room():
    drawn = Curves.of("a", palette.TOLD_APART, 1, [run(LONG)], Room())
    assert drawn.rates[0].width > 1


@pytest.mark.parametrize("steps", [100, 99_999, 100_000, 250_001])
def test_a_curve_for_a_terminal_keeps_its_extremes_and_its_length(steps):
    values = np.ones(steps)
    values[[steps // 3, -1]] = 5, 0.5
    curve = characters.Curve.of(values, 10)
    assert curve.epochs == steps / 10
    assert len(curve.rates) <= max(100_004, 2 * characters._PIECES)
    assert (curve.rates.min(), curve.rates.max()) == (0.5, 5)
    top, *_, epochs, _ = characters.chart([curve], width=60, height=8)
    whole = [*characters.chart([characters.Curve(values, 10)], width=60, height=8)]
    assert epochs == whole[-2]
    assert top[0] == whole[0][0]
