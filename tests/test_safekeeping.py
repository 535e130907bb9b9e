"""Finished work stays: failures, restarts and files that cannot be read take nothing away."""

import errno
import json
import os
import re
import shutil
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from told import Told
from typer.testing import CliRunner

from lrlab import config, experiment, plots
from lrlab.cli import app
from lrlab.errors import Interrupted, ResultsError, TrainingError, UnreadableError, UsageError
from lrlab.experiment.executors.executor import Executor
from lrlab.experiment.executors.threads import Threads
from lrlab.finder.trials import FIRST_SEED
from lrlab.io import pictures, reading
from lrlab.plots import dispatch
from lrlab.results import checkpoint as checkpoints
from lrlab.results import (
    comparison,
    fresh_list,
    inspection,
    run_folder,
    sweep_record,
    test_openings,
    verified_auto,
)
from lrlab.results.inspection import Kind, run_findings
from lrlab.results.run import CHECKPOINT, RunPlace, checkpoint_of
from lrlab.training.jobs import Failure

TEXTS = {
    "steady": "schedule: {type: constant, lr: 0.005}\nepochs: 3\n",
    "auto": "schedule: {type: constant, lr: auto}\nepochs: 2\n",
}
OTHER = "schedule: {type: constant, lr: auto}\noptimizer: {type: adam}\nepochs: 2\n"


class Failing(Executor):
    """Every job raises."""

    def __init__(self, make, workers) -> None:
        pass

    def carry_out(self, jobs, on_event):
        for index, _ in enumerate(jobs):
            on_event(index, Failure("RuntimeError: out of luck", "Traceback"))


def compare(folder: Path, out: Path, told: Told | None = None, **options):
    told = told or Told()
    read = config.read(sorted(folder.glob("*.yaml")))
    compared, _ = experiment.compare(
        read, out=out, seeds=2, report=told, **{"workers": 1} | options
    )
    plots.comparison_figures.save(out, compared, out)
    experiment.save(compared, out)
    return compared, told


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_npz) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    for name, text in (TEXTS | {"other": OTHER}).items():
        (folder / f"{name}.yaml").write_text(f"{text}data: {small_npz}\n")
    compare(folder, folder / "out")
    return folder


@pytest.fixture
def out(trained, tmp_path) -> Path:
    shutil.copytree(trained / "out", tmp_path / "out")
    return tmp_path / "out"


def content(out: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(out)): p.read_bytes()
        for p in sorted(out.rglob("*"))
        if p.is_file() and p.name != ".lock"
    }


def runs(out: Path) -> dict[str, bytes]:
    return {name: text for name, text in content(out).items() if name.startswith("runs/")}


# --- a run that fails takes no finished one away ---


@pytest.mark.parametrize("option", ["fresh", "keep_weights"])
def test_a_run_that_fails_does_not_replace_a_finished_one(option, trained, out):
    before = runs(out)
    compared, _ = compare(trained, out, executor=Failing, **{option: True})
    assert {e.status for e in compared.experiments} == {"failed"}
    (steady,) = (e for e in compared.experiments if e.name == "steady")
    assert "out of luck; the run from before is kept" in steady.notes[0]
    assert runs(out) == before
    compared, told = compare(trained, out)
    assert (told.trained, {e.status for e in compared.experiments}) == ([], {"done"})


def test_a_run_that_failed_before_is_replaced(trained, tmp_path):
    for _ in range(2):
        compared, told = compare(trained, tmp_path / "out", executor=Failing)
        assert told.trained == ["steady 0", "steady 1"]
    (steady,) = (e for e in compared.experiments if e.name == "steady")
    assert steady.notes[0] == "seed 0 failed: RuntimeError: out of luck"
    assert {e.status for e in compare(trained, tmp_path / "out")[0].experiments} == {"done"}


# --- `--fresh`, restarted again and again ---


class CutOff(Told):
    """Interrupts after a run, or in the middle of the first one that is not about to end."""

    def finished(self, run, result):
        super().finished(run, result)
        raise KeyboardInterrupt


class CutOffInside(Told):
    def progress(self, run, progress):
        super().progress(run, progress)
        raise KeyboardInterrupt


def test_fresh_that_is_restarted_goes_on_and_ends(trained, out):
    before, trained_again = runs(out), []
    for restart in range(9):
        told = CutOff()
        try:
            compare(trained, out, told, fresh=True)
        except Interrupted:
            trained_again += told.finished_runs
            assert (out / fresh_list.FILE).exists()
            assert told.notes.count("resuming the `--fresh` that was interrupted") == (restart > 0)
            # Sweeps as well are made once.
            assert sum("swept for" in note for note in told.notes) == (0 if restart else 2)
        else:
            break
    assert restart == 6
    assert len(set(trained_again)) == len(trained_again) == 6
    assert not (out / fresh_list.FILE).exists()
    after = runs(out)
    names = [name for name in before if not name.endswith("run.json")]
    assert [after[name] for name in names] == [before[name] for name in names]
    assert any(after[name] != before[name] for name in before), "nothing was trained"
    assert len(compare(trained, out, fresh=True)[1].trained) == 6, "it is over, and begins anew"


@pytest.fixture
def slow(tmp_path, small_npz) -> Path:
    text = "schedule: {type: constant, lr: 0.005}\nepochs: 2000\n"
    (tmp_path / "slow").mkdir()
    (tmp_path / "slow" / "slow.yaml").write_text(f"{text}data: {small_npz}\n")
    return tmp_path / "slow"


def test_fresh_that_is_restarted_goes_on_inside_a_run(slow, tmp_path):
    out, steps = tmp_path / "out", []
    for _ in range(2):
        with pytest.raises(Interrupted):
            compare(slow, out, told := CutOffInside(), fresh=True)
        (path,) = out.glob(f"runs/*/*{CHECKPOINT}")
        steps.append(len(checkpoints.read(path).state.loss))
        assert told.resumed == len(steps) - 1
    assert steps[0] < steps[1]


def test_without_fresh_a_list_that_was_left_is_forgotten(trained, out):
    with pytest.raises(Interrupted):
        compare(trained, out, Told(at_plan=interrupt), fresh=True)
    assert (out / fresh_list.FILE).exists()
    assert inspection.inspect(out).problems == []
    compare(trained, out)
    assert not (out / fresh_list.FILE).exists()


def interrupt():
    raise KeyboardInterrupt


# --- what cannot be read is not damaged ---


@pytest.fixture
def unreadable(monkeypatch):
    """Return a function that makes the reading of some files fail, as a bad disk does."""
    real_open, failing = os.open, {}

    def opened(path, *args, **options):
        for suffix, number in failing.items():
            if str(path).endswith(suffix):
                raise OSError(number, os.strerror(number), str(path))
        return real_open(path, *args, **options)

    monkeypatch.setattr(os, "open", opened)
    return failing


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES, errno.ESTALE, errno.EMFILE])
@pytest.mark.parametrize("name", ["run.json", "steps.npz", "epochs.csv"])
def test_a_run_that_cannot_be_read_is_left_alone(name, number, trained, out, unreadable):
    before = runs(out)
    unreadable[f"seed-1/{name}"] = number
    compared, told = compare_only(trained, out)
    assert told.trained == []
    assert compared.experiments[0].statuses == ("done", "failed")
    assert f"cannot be read: {os.strerror(number)}" in compared.experiments[0].notes[0]
    found = inspection.repair(out)
    assert [f.kind for f in found.findings if f.kind is not Kind.LEFTOVER] == [Kind.UNREADABLE] * 3
    assert found.counts() | {"fine": 3, "unreadable": 3} == found.counts()
    assert runs(out) == before
    done = CliRunner().invoke(app, ["check", str(out)])
    assert (done.exit_code, done.stderr) == (3, "")
    assert f"{name}: cannot be read: {os.strerror(number)}; allow reading it" in done.stdout


def compare_only(folder, out):
    """Compare without the figures, which would not find what they need."""
    told = Told()
    read = config.read(sorted(folder.glob("*.yaml")))
    return experiment.compare(read, out=out, seeds=2, report=told, workers=1)[0], told


def test_a_checkpoint_that_cannot_be_read_is_left_alone(slow, tmp_path, unreadable):
    out = tmp_path / "out"
    with pytest.raises(Interrupted):
        compare(slow, out, CutOffInside())
    (path,) = out.glob(f"runs/*/*{CHECKPOINT}")
    before = path.read_bytes()
    unreadable[CHECKPOINT] = errno.EIO
    read = config.read(sorted(slow.glob("*.yaml")))
    compared, _ = experiment.compare(read, out=out, seeds=1, report=Told())
    assert "cannot be read: Input/output error" in compared.experiments[0].notes[0]
    assert path.read_bytes() == before
    unreadable.clear()
    with pytest.raises(Interrupted):
        compare(slow, out, told := CutOffInside())
    assert told.resumed == 1


def test_a_sweep_that_cannot_be_read_is_left_alone(trained, out, unreadable):
    before = content(out / "sweeps")
    unreadable["sweep.csv"] = errno.EIO
    compared, _ = compare_only(trained, out)
    assert "failed: `" in compared.experiments[0].notes[0]
    assert "sweep.csv` cannot be read: Input/output error" in compared.experiments[0].notes[0]
    assert compared.experiments[2].status == "done"
    inspection.repair(out)
    assert content(out / "sweeps") == before


@pytest.mark.parametrize("number", [errno.EIO, errno.EACCES])
@pytest.mark.parametrize("ask", [reading.exists, reading.is_folder, reading.is_file])
def test_what_cannot_be_found_out_is_an_error(ask, number, tmp_path, monkeypatch):
    def stat(path, **_):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(os, "stat", stat)
    with pytest.raises(UnreadableError, match="cannot be read"):
        ask(tmp_path)


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "none/x", "\ud800"])
def test_a_path_that_cannot_be_is_no_file(name, tmp_path):
    path = tmp_path / name
    assert not any([reading.exists(path), reading.is_folder(path), reading.is_link(path)])


LONG = "a" * 300
ODD_PATHS = {
    "check": ["check", LONG],
    "plot": ["plot", LONG],
    "plot config": ["plot", f"{LONG}.yaml"],
    "plot --out": ["plot", "CONFIG", "--out", LONG],
    "data-dir": ["compare", "CONFIG", "--data-dir", LONG],
    "compare --out": ["compare", "CONFIG", "--out", LONG],
    "find-lr --out": ["find-lr", "--out", LONG],
}


@pytest.mark.parametrize("name", ODD_PATHS)
def test_a_name_that_is_too_long_is_an_error_in_words(name, trained, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = [str(trained / "steady.yaml") if w == "CONFIG" else w for w in ODD_PATHS[name]]
    done = CliRunner().invoke(app, words)
    assert done.exit_code in (2, 3)
    assert isinstance(done.exception, SystemExit)
    assert done.stderr.startswith("error: ")


# --- every byte is covered ---


def flips(size: int, count: int) -> list[int]:
    chance = np.random.default_rng(size)
    return sorted(chance.choice(8 * size, min(count, 8 * size), replace=False).tolist())


def noticed_flips(out: Path, count: int) -> None:
    """Flip bits everywhere; `check` notices each."""
    assert inspection.inspect(out).findings == ()
    for name, whole in content(out).items():
        for place in flips(len(whole), count):
            flipped = bytearray(whole)
            flipped[place // 8] ^= 1 << place % 8
            (out / name).write_bytes(flipped)
            assert inspection.inspect(out).problems, f"bit {place} of {name}"
        for cut in ([], whole[:-1]):
            (out / name).write_bytes(bytes(cut))
            assert inspection.inspect(out).problems, f"{name} cut"
        (out / name).write_bytes(whole)
    assert inspection.inspect(out).findings == ()


def with_everything(out: Path) -> Path:
    """Add what the other commands write: figures of all kinds, a sweep of `find-lr`."""
    sweep = sweep_record.read(next((out / "sweeps").iterdir()))
    sweep_record.write(out / "find-lr", sweep)
    plots.sweep_figure.save(out / "find-lr", sweep, "svg")
    for kind in ("svg", "pdf"):
        plots.comparison_figures.save(out, comparison.read(out), out, kind=kind)
    return out


def test_flipped_bits_are_noticed_wherever_they_are(out):
    names = content(with_everything(out)).keys()
    assert {Path(name).suffix for name in names} == {
        ".json", ".csv", ".md", ".npz", ".png", ".svg", ".pdf"
    }  # fmt: skip
    noticed_flips(out, 6)


def noticing(out: Path, path: Path) -> Callable[[], bool]:
    """Return what asks whether `check` notices damage to a file, without all the others."""
    place = RunPlace.of(Path(str(path).removesuffix(CHECKPOINT)))

    def fails(read: Callable[[], object]) -> bool:
        try:
            read()
        except (ResultsError, ValueError):
            return True
        return False

    def damaged_run() -> bool:
        run = RunPlace.of(path.parent)
        return any(f.kind is Kind.DAMAGED for f in run_findings.inspect(path.parent, run)[1])

    if place is not None:
        return lambda: run_findings.inspect_checkpoint(path, place, None).kind is Kind.DAMAGED
    if path.suffix in (".png", ".svg", ".pdf"):
        return lambda: fails(lambda: pictures.check(path))
    if path.name.startswith("comparison."):
        return lambda: fails(lambda: comparison.read(out)) or any(comparison.check_tables(out))
    if path.name.startswith("sweep."):
        return lambda: fails(lambda: sweep_record.read(path.parent))
    if path.name.startswith("verified-"):
        return lambda: fails(lambda: verified_auto.read(path))
    if path.name == fresh_list.FILE:
        return lambda: fails(lambda: fresh_list.read(out))
    if path.name == test_openings.FILE:
        return lambda: fails(lambda: test_openings.read(out))
    return damaged_run


def with_small_weights(run: Path) -> None:
    kept = run_folder.read(run)
    weights = np.float32([[1, 2], [3, 4]]), np.float32([0.5])
    run_folder.write(run, replace(kept.result, weights=weights), kept.origin)


def with_checkpoint(run: Path) -> None:
    place, five = RunPlace.of(run), np.zeros(5, np.float32)
    state = checkpoints.Checkpoint((five,), (five,), (), five, five, 0, 0.5)
    origin = checkpoints.CheckpointOrigin(identity=place.identity, seed=place.seed, environment={})
    checkpoints.write(checkpoint_of(run), state, origin)


EVERY_BIT_BELOW = 32_000
"""Bytes of a file of which all bits are flipped; of a larger one those of its two ends."""

ENDS = 200


def bits(size: int) -> Iterator[int]:
    """Yield the bits to be flipped: all of a small file, one per byte of a large one."""
    for byte in range(size):
        whole = size < EVERY_BIT_BELOW or min(byte, size - 1 - byte) < ENDS
        yield from range(8 * byte, 8 * byte + 8) if whole else [8 * byte + byte % 8]


@pytest.mark.slow
def test_every_byte_is_covered(out):
    """A file of each kind, every byte of it: `check` notices a flipped bit wherever it is."""
    (steady,) = out.glob("runs/steady-*/seed-0")
    with_small_weights(steady)
    with_checkpoint(steady)
    fresh_list.write(out, fresh_list.FreshList("0" * 64, {"a": "b"}))
    others = {path for path in out.glob("runs/*/*/*") if path.parent != steady}
    flipped, unnoticed = 0, []
    for name, whole in content(with_everything(out)).items():
        if (path := out / name) in others:
            continue
        noticed = noticing(out, path)
        assert not noticed(), name
        with path.open("r+b", buffering=0) as file:
            for bit in bits(len(whole)):
                os.pwrite(file.fileno(), bytes([whole[bit // 8] ^ 1 << bit % 8]), bit // 8)
                flipped += 1
                if not noticed():
                    unnoticed.append(f"bit {bit} of {name}")
                os.pwrite(file.fileno(), whole[bit // 8 : bit // 8 + 1], bit // 8)
        assert not noticed(), name
        sys.stderr.write(f"{flipped:,} flipped after {name}, {len(unnoticed)} not noticed\n")
    assert unnoticed == []


@pytest.mark.parametrize("name", ["comparison.csv", "comparison.md", "loss.png", "comparison.json"])
def test_what_lies_at_the_top_is_checked_mended_and_written_again(name, trained, out):
    whole = content(out)
    edited = (out / name).read_bytes().replace(b"0.", b"1.", 1)
    (out / name).write_bytes(b"" if name == "loss.png" else edited)
    (finding,) = inspection.inspect(out).findings
    assert (finding.kind, finding.path) == (Kind.DAMAGED, out / name)
    assert inspection.repair(out).problems == []
    compare(trained, out)
    assert {n: t for n, t in content(out).items() if ".damaged" not in n} == whole


def test_an_edited_accuracy_is_found(trained, out):
    (path,) = out.glob("runs/steady-*/seed-0/run.json")
    record = json.loads(path.read_text())
    text = path.read_text().replace(f'"accuracy": {record["test"]["accuracy"]}', '"accuracy": 0.99')
    path.write_text(text)
    with pytest.raises(ResultsError, match="its signature is not that of its content"):
        run_folder.read(path.parent)
    assert compare(trained, out)[1].trained == ["steady 0"]


def test_figures_of_older_versions_are_said_to_be_unsigned(out):
    for kind in ("svg", "pdf"):
        path = out / f"loss.{kind}"
        plots.comparison_figures.save(out, comparison.read(out), out, kind=kind)
        signed = path.read_bytes()
        path.write_bytes(signed[: signed.rindex(b"<!--" if kind == "svg" else b"%sha256")])
        assert not pictures.check(path)
    found = inspection.inspect(out)
    assert [(f.kind, f.what) for f in found.findings] == [
        (Kind.UNSIGNED, "holds 2 records of an older lrlab, not signed")
    ]


def test_a_png_has_checksums_of_its_own(tmp_path):
    part = b"IEND"
    whole = pictures._PNG + bytes(4) + part + zlib.crc32(part).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(whole)
    assert pictures.check(tmp_path / "a.png")
    for bad in (whole[:-1], whole + b"x", whole[:8], b""):
        (tmp_path / "a.png").write_bytes(bad)
        with pytest.raises(ValueError, match=r"PNG|checksum"):
            pictures.check(tmp_path / "a.png")


def test_what_was_complete_and_cut_off_is_told_and_put_into_its_place(out):
    (run,) = out.glob("runs/steady-*/seed-0")
    whole = content(out)
    run.rename(run.with_name(f".seed-0.{run.stat().st_ino}.whole"))
    (out / ".0123.files").mkdir()
    (out / "comparison.md").rename(out / ".0123.files" / "comparison.md")
    found = inspection.inspect(out)
    assert {f.kind for f in found.problems} == {Kind.LEFTOVER, Kind.MISSING}
    repaired = inspection.repair(out)
    assert [f.mended for f in repaired.findings] == ["put into its place"] * 2
    assert content(out) == whole
    assert inspection.inspect(out).findings == ()


def test_what_an_older_version_wrote_is_reused_and_keeps_its_bytes(trained, out):
    for path in out.rglob("*.json"):
        said, _, _ = path.read_text().partition(',\n  "signature": ')
        if path.name != "run.json":
            said = re.split(r',\n  "(?:verdict|sha256)": \{', said)[0]
        path.write_text(said + "\n}\n")
    before, told_warnings = content(out), []
    assert len(dispatch.plot([out], None, "png", told_warnings.append)) == 3
    compared, told = compare(trained, out)
    assert (told.trained, told.warnings, told.notes) == ([], [], [])
    assert compared == comparison.read(trained / "out")
    after = content(out)
    kept = [name for name in before if name.startswith(("runs/", "sweeps/"))]
    assert [after[name] for name in kept] == [before[name] for name in kept]


# --- sweeps ---


def test_sweeps_that_were_swapped_are_not_used(trained, out):
    first, second = sorted((out / "sweeps").iterdir())
    first.rename(out / "x")
    second.rename(first)
    (out / "x").rename(second)
    found = inspection.inspect(out)
    assert [(f.kind, f.what) for f in found.findings] == [
        (Kind.DAMAGED, f"`{folder / 'sweep.json'}` is the sweep of another setup")
        for folder in (first, second)
    ]
    compared, told = compare(trained, out)
    assert sum("is the sweep of another setup" in warning for warning in told.warnings) == 2
    assert compared == comparison.read(trained / "out")
    assert told.trained == []


def test_a_sweep_torn_between_its_files_is_damaged(out):
    first, second = sorted((out / "sweeps").iterdir())
    shutil.copy(first / "sweep.csv", second / "sweep.csv")
    with pytest.raises(ResultsError, match=r"its checksum is not the one in sweep\.json"):
        sweep_record.read(second)


@pytest.mark.usefixtures("broken_cnn")
def test_a_sweep_that_fails_does_not_end_the_comparison(tmp_path, small_npz):
    (tmp_path / "bad.yaml").write_text(f"{TEXTS['auto']}model: cnn\ndata: {small_npz}\n")
    (tmp_path / "good.yaml").write_text(f"{TEXTS['steady']}data: {small_npz}\n")
    compared, told = compare(tmp_path, tmp_path / "out")
    assert [e.status for e in compared.experiments] == ["failed", "done"]
    said = "ValueError: no such luck"
    assert f"the sweep for `auto` failed: {said}" in compared.experiments[0].notes[0]
    assert told.trained == ["good 0", "good 1"]
    read = config.read([tmp_path / "bad.yaml"])[0]
    with pytest.raises(TrainingError, match=said):
        experiment.find_lr(read, out=tmp_path / "sweep", seeds=1, report=Told())
    done = CliRunner().invoke(
        app, ["find-lr", str(tmp_path / "bad.yaml"), "--out", str(tmp_path / "sweep")]
    )
    assert done.exit_code == 1
    assert done.stderr.startswith(f"error: {said}")


class FailingShortRuns(Threads):
    """Every run that verifies a rate raises."""

    def carry_out(self, jobs, on_event):
        if not any(job.seed >= FIRST_SEED for job in jobs):
            super().carry_out(jobs, on_event)
            return
        for index, _ in enumerate(jobs):
            on_event(index, Failure("RuntimeError: out of luck", "Traceback"))


def test_a_verification_that_fails_refuses_those_that_need_it_alone(trained, tmp_path):
    compared, told = compare(trained, tmp_path / "out", executor=FailingShortRuns)
    statuses = {e.name: e.status for e in compared.experiments}
    assert statuses == {"auto": "failed", "other": "failed", "steady": "done"}
    assert "`auto`" in compared.experiments[0].notes[0]
    assert told.trained == ["steady 0", "steady 1"]
    done, _ = compare(trained, tmp_path / "out")
    assert {e.status for e in done.experiments} == {"done"}


# --- limits that agree ---


def test_a_comparison_that_could_not_be_read_again_is_refused_before_training(trained, tmp_path):
    read = config.read([trained / "steady.yaml"])
    with pytest.raises(UsageError, match=r"1 experiments with 50,000 runs are too many"):
        experiment.compare(read, out=tmp_path, seeds=50_000, report=Told())
    assert not (tmp_path / "runs").exists()


def test_whatever_is_not_refused_can_be_read_again(trained, tmp_path):
    """The largest that is allowed, every run with a long error."""
    from lrlab.analysis import summaries
    from lrlab.results.run import RunResult, Status

    result = RunResult(Status.FAILED, error="\x1b\u20ac" * 5_000, train_seconds=1 / 3)
    seeds = range(12_000)
    whole = json.loads((next(trained.glob("out/runs/*/seed-0")) / "run.json").read_text())
    folders = [f"runs/steady-0123456789/seed-{seed}" for seed in seeds]
    about = whole["config"] | {"name": "steady"}
    summary = summaries.summarise(
        about, dict.fromkeys(seeds, result), data="d" * 5_000, steps_per_epoch=1, folders=folders
    )
    compared = summaries.compare([summary])
    comparison.check_size(summaries.compare([summaries.summarise(
        about, dict.fromkeys(seeds, RunResult(Status.DONE)), data="d" * 5_000, steps_per_epoch=1,
        folders=folders,
    )]))  # fmt: skip
    comparison.write(tmp_path, compared, {})
    assert comparison.read(tmp_path) == compared
