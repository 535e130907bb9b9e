"""`lrlab check`: every kind of damage in real results is told, mended, and retrained."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from told import Told
from typer.testing import CliRunner

from lrlab import config, experiment
from lrlab.cli import app
from lrlab.errors import ResultsError
from lrlab.io import atomic, records
from lrlab.results import checkpoint as checkpoints
from lrlab.results import inspection, lock, run_folder
from lrlab.results.checkpoint import Checkpoint, CheckpointOrigin
from lrlab.results.inspection import Kind
from lrlab.results.run import RunPlace, RunResult, Status, checkpoint_of, recorded_identity
from lrlab.results.run import identity as identity_of

CONFIGS = Path(__file__).parents[1] / "configs"
TEXTS = {
    "steady": "schedule: {type: constant, lr: 0.005}\nepochs: 1\n",
    "auto": "schedule: {type: constant, lr: auto}\nepochs: 1\n",
    "wild": "schedule: {type: constant, lr: 1e6}\noptimizer: {type: sgd}\nepochs: 1\n",
}


def compare(folder: Path, out: Path) -> Told:
    told = Told()
    read = config.read(sorted(folder.glob("*.yaml")))
    compared, _ = experiment.compare(
        read, out=out, seeds=2, report=told, workers=1, keep_weights=True
    )
    experiment.save(compared, out)
    return told


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_npz) -> Path:
    """A folder of configs, and their results in `out`; never written to."""
    folder = tmp_path_factory.mktemp("inspected")
    for name, text in TEXTS.items():
        (folder / f"{name}.yaml").write_text(f"{text}data: {small_npz}\n")
    assert len(compare(folder, folder / "out").trained) == 6
    sweep = next((folder / "out" / "sweeps").iterdir())
    only_swept = shutil.ignore_patterns("verified-*")
    shutil.copytree(sweep, folder / "out" / "find-lr", ignore=only_swept)
    return folder


@pytest.fixture
def out(trained, tmp_path) -> Path:
    shutil.copytree(trained / "out", tmp_path / "out")
    return tmp_path / "out"


def run_of(out: Path, name: str, seed: int = 0) -> Path:
    (folder,) = (out / "runs").glob(f"{name}-*")
    return folder / f"seed-{seed}"


def snapshot(out: Path) -> dict[str, bytes]:
    return {str(p.relative_to(out)): p.read_bytes() for p in out.rglob("*") if p.is_file()}


def reproducible(out: Path) -> dict[str, bytes]:
    names = ("epochs.csv", "steps.npz", run_folder.EXAMPLES, run_folder.WEIGHTS)
    return {name: text for name, text in snapshot(out).items() if Path(name).name in names}


def change(path: Path, edit: Callable[[dict], None]) -> None:
    record = json.loads(path.read_text())
    del record["signature"]
    edit(record)
    path.write_text(records.sign(json.dumps(record, indent=2) + "\n"))


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def keep_checkpoint(run: Path, **changes) -> Path:
    """Write a checkpoint of 5 steps beside the folder of a run."""
    five = np.zeros(5, np.float32)
    place = RunPlace.of(run)
    stated = {"identity": place.identity, "seed": place.seed, "environment": {}} | changes
    state = Checkpoint((five,), (five,), (), five, five, (np.int32(0),), 0.5)
    checkpoints.write(checkpoint_of(run), state, CheckpointOrigin(**stated))
    return checkpoint_of(run)


def steps_of(run: Path, steps: int) -> None:
    """Write a run with so many steps whose files all have the right checksums."""
    kept = run_folder.read(run)
    result = kept.result
    shutil.rmtree(run)
    shorter = RunResult(
        result.status, result.epochs, result.lr[:steps], result.loss[:steps], train_seconds=1.0
    )
    run_folder.write(run, shorter, kept.origin)


# --- nothing wrong ---


def test_sound_results(trained):
    before = snapshot(trained / "out")
    found = inspection.inspect(trained / "out")
    assert found.findings == ()
    assert found.counts() == {"fine": 6, "unfinished": 0, "failed": 0, "damaged": 0}
    assert sorted(found.statuses.values()) == ["diverged"] * 2 + ["done"] * 4
    assert snapshot(trained / "out") == before


def test_results_of_an_older_version_are_sound(out):
    for path in out.rglob("*.json"):
        record = json.loads(path.read_text())
        del record["signature"]
        if path.name == "run.json":
            del record["identity"]
        else:
            record.pop("sha256", None)
        path.write_text(records.text(record))
    found = inspection.inspect(out)
    (finding,) = found.findings
    assert (finding.kind, finding.path, found.problems) == (Kind.UNSIGNED, out, [])
    assert finding.what == "holds 9 records of an older lrlab, not signed"


def all_configs() -> list[Path]:
    return sorted(CONFIGS.rglob("*.yaml"))


@pytest.mark.skipif(not all_configs(), reason="no configs/ beside the tests")
def test_what_run_json_records_of_a_config_has_its_identity():
    for path in all_configs():
        (read,) = config.read([path])
        recorded = read.experiment.model_dump(mode="json", exclude={"data"})
        recorded = json.loads(json.dumps(recorded))
        assert recorded_identity(recorded, "f") == identity_of(read.experiment, "f"), path


# --- damage of every kind ---


def cut(name: str):
    def damage(out: Path) -> None:
        path = run_of(out, "steady") / name
        path.write_bytes(path.read_bytes()[:-9])

    return damage


def edited(edit):
    return lambda out: change(run_of(out, "steady") / "run.json", edit)


DAMAGE = "is damaged: its checksum is not the one in run.json"
RUNS = {
    # name: (what is done to steady's first run, the file that is named, what is said of it)
    "an epoch changed": (lambda o: flip(run_of(o, "steady") / "epochs.csv"), "epochs.csv", DAMAGE),
    "steps cut": (cut("steps.npz"), "steps.npz", DAMAGE),
    "weights changed": (lambda o: flip(run_of(o, "steady") / "weights.npz"), "weights.npz", DAMAGE),
    "no steps": (lambda o: (run_of(o, "steady") / "steps.npz").unlink(), "steps.npz", "is missing"),
    "examples changed": (
        lambda o: flip(run_of(o, "steady") / "examples.npz"), "examples.npz", DAMAGE
    ),
    "no weights": (
        lambda o: (run_of(o, "steady") / "weights.npz").unlink(), "weights.npz", "is missing"
    ),
    "no run.json": (lambda o: (run_of(o, "steady") / "run.json").unlink(), "run.json", "missing"),
    "run.json cut": (cut("run.json"), "run.json", "is damaged"),
    "run.json no object": (
        lambda o: (run_of(o, "steady") / "run.json").write_text("[]"), "run.json", "is damaged"
    ),
    "another seed": (edited(lambda r: r.update(seed=7)), "run.json", "is of seed 7"),
    "another format": (edited(lambda r: r.update(format=2)), "run.json", "format 2"),
    "another identity": (
        edited(lambda r: r.update(identity="0" * 10)), "run.json", "is of another run, 0000000000"
    ),
    "another config": (
        edited(lambda r: r["config"].update(batch_size=64)), "run.json", "records the experiment"
    ),
    "another name": (
        edited(lambda r: r["config"].update(name="y")), "run.json", "records the experiment y-"
    ),
    "other data": (
        edited(lambda r: r["data"].update(fingerprint="x")), "run.json", "records the experiment"
    ),
    "no config": (edited(lambda r: r.pop("config")), "run.json", "does not record which"),
    "a wrong config": (
        edited(lambda r: r["config"].update(epochs=-1)), "run.json", "does not record which"
    ),
    "too few steps": (
        lambda o: steps_of(run_of(o, "steady"), 17), "run.json", "done after 1 of 1 epochs and 17"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_a_damaged_run_is_told_and_set_aside(name, out):
    damage, file, what = RUNS[name]
    run = run_of(out, "steady")
    damage(out)
    before = snapshot(out)
    found = inspection.inspect(out)
    (finding,) = found.findings
    assert (finding.kind, finding.path) == (Kind.DAMAGED, run / file)
    assert what in finding.what
    assert found.counts()["damaged"] == 1
    assert snapshot(out) == before

    repaired = inspection.repair(out)
    assert repaired.problems == []
    assert repaired.findings[0].mended == "`seed-0` is kept as `seed-0.damaged`"
    moved = {name.replace("seed-0.damaged", "seed-0"): text for name, text in snapshot(out).items()}
    assert moved == before  # Nothing is lost.
    assert not run.exists()
    again = inspection.inspect(out)
    assert [f.kind for f in again.findings] == [Kind.UNFINISHED, Kind.ASIDE]
    assert again.problems == []


def test_a_file_in_the_place_of_a_run(out):
    run = run_of(out, "steady")
    shutil.rmtree(run)
    run.write_text("no folder")
    (finding,) = inspection.repair(out).findings
    assert (finding.kind, run.with_name("seed-0.damaged").read_text()) == (
        Kind.DAMAGED,
        "no folder",
    )


def test_what_was_set_aside_before_is_kept(out):
    run = run_of(out, "steady")
    for number in range(3):
        run.mkdir(exist_ok=True)
        (run / "run.json").write_text(f"{{{number}")
        (finding,) = [f for f in inspection.repair(out).findings if f.mended]
        name = "seed-0.damaged" + (f"-{number + 1}" if number else "")
        assert finding.mended == f"`seed-0` is kept as `{name}`"
        assert run.with_name(name).joinpath("run.json").read_text() == f"{{{number}"


def write(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def lone(path: Path, text: str = "x"):
    """Return what writes one file, at a path below `out` in which RUN is a run's folder."""

    def damage(out: Path) -> None:
        run = run_of(out, "steady").relative_to(out)
        write(out / str(path).replace("RUN", str(run)), text)

    return damage


def missing(out: Path) -> None:
    shutil.rmtree(run_of(out, "steady"))


def unfinished(out: Path) -> None:
    shutil.rmtree(run_of(out, "steady"))
    keep_checkpoint(run_of(out, "steady"))


def sweep_of(out: Path) -> Path:
    return next((out / "sweeps").iterdir())


def failed(out: Path) -> None:
    run = run_of(out, "steady")
    origin = run_folder.read(run).origin
    run_folder.write(run, RunResult(Status.FAILED, error="no room\nat all"), origin)


ELSEWHERE = {
    # name: (what is done, path of the finding, kind, what is said, what --repair does)
    "half a file": (
        lone(".comparison.csv.12.part"), ".comparison.csv.12.part",
        Kind.LEFTOVER, "half-written", "removed",
    ),
    "half a run": (
        lone("RUN/../.seed-0.12.part/run.json"), "RUN/../.seed-0.12.part",
        Kind.LEFTOVER, "half-written", "removed",
    ),
    "checkpoint beside a finished run": (
        lambda o: keep_checkpoint(run_of(o, "steady")), "RUN.checkpoint.npz",
        Kind.LEFTOVER, "of a run that is finished", "removed",
    ),
    "checkpoint of another seed": (
        lambda o: keep_checkpoint(run_of(o, "steady"), seed=1), "RUN.checkpoint.npz",
        Kind.DAMAGED, "of another run", "is kept as",
    ),
    "checkpoint damaged": (
        lambda o: flip(keep_checkpoint(run_of(o, "steady"))), "RUN.checkpoint.npz",
        Kind.DAMAGED, "its checksum is not that of its content", "is kept as",
    ),
    "unfinished": (
        unfinished, "RUN.checkpoint.npz", Kind.UNFINISHED, "resumes at step 5", None
    ),
    "failed": (failed, "RUN", Kind.FAILED, "failed: no room", None),
    "missing": (missing, "RUN", Kind.MISSING, "`comparison.json` names it", None),
    "comparison.json cut": (
        lone("comparison.json", "{"), "comparison.json", Kind.DAMAGED, "cannot be read",
        "`comparison.json` is kept as `comparison.json.damaged`",
    ),
    "sweep damaged": (
        lambda o: (sweep_of(o) / "sweep.csv").write_text("seed,step\n0,x\n"), "SWEEP",
        Kind.DAMAGED, "cannot be read", "is kept as",
    ),
    "sweep without its curves": (
        lambda o: (sweep_of(o) / "sweep.csv").unlink(), "SWEEP", Kind.DAMAGED, "is missing",
        "is kept as",
    ),
    "sweep.json of find-lr damaged": (
        lambda o: flip_and_remove(o / "find-lr"), "find-lr/sweep.json", Kind.DAMAGED,
        "cannot be read", "`sweep.json` is kept as `sweep.json.damaged`",
    ),
    "set aside": (lone("RUN.damaged-2/run.json"), "RUN.damaged-2", Kind.ASIDE, "set aside", None),
    "foreign file": (lone("notes.txt"), "notes.txt", Kind.FOREIGN, "not one of lrlab's", None),
    "foreign folder": (lone("mine/x.txt"), "mine", Kind.FOREIGN, "not one of lrlab's", None),
    "foreign run": (lone("runs/mine/seed-0"), "runs/mine", Kind.FOREIGN, "not one of", None),
    "foreign seed": (lone("RUN/../seed-x"), "RUN/../seed-x", Kind.FOREIGN, "not one of", None),
    "foreign in a run": (lone("RUN/x.txt"), "RUN/x.txt", Kind.FOREIGN, "not one of", None),
    "foreign sweep": (lone("sweeps/x.txt"), "sweeps/x.txt", Kind.FOREIGN, "not one of", None),
    "results within": (
        lone("smoke/comparison.json"), "smoke", Kind.FOREIGN, "results directory of its own", None
    ),
}  # fmt: skip


def flip_and_remove(folder: Path) -> None:
    (folder / "sweep.json").write_text("{")
    (folder / "sweep.csv").unlink()


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_else_is_found(name, out):
    damage, path, kind, what, mended = ELSEWHERE[name]
    place = path.replace("RUN", str(run_of(out, "steady").relative_to(out)))
    place = place.replace("SWEEP", str(sweep_of(out).relative_to(out)))
    damage(out)
    before = snapshot(out)
    found = inspection.inspect(out)
    (finding,) = found.findings
    assert (os.path.normpath(finding.path), finding.kind) == (os.path.normpath(out / place), kind)
    assert what in finding.what
    assert "\n" not in finding.what
    assert (found.problems != []) == finding.kind.is_problem
    assert snapshot(out) == before

    (repaired,) = inspection.repair(out).findings
    if mended is None:
        assert repaired == finding
        assert snapshot(out) == before
    else:
        assert mended in repaired.mended
        assert inspection.inspect(out).problems == []
        assert (len(snapshot(out)) == len(before)) == (mended != "removed")


@pytest.mark.parametrize("place", ["runs", "RUN", "RUN/steps.npz", "RUN/..", "comparison.json",
                                   "find-lr", "find-lr/sweep.csv", "sweeps", "mine"])  # fmt: skip
def test_links_that_lead_out_are_told_and_not_followed(place, out, tmp_path):
    path = Path(os.path.normpath(
        out / place.replace("RUN", str(run_of(out, "steady").relative_to(out)))
    ))  # fmt: skip
    outside = tmp_path / "outside"
    if path.exists():
        path.rename(outside)
    else:
        outside.mkdir()
    path.symlink_to(outside)
    before = snapshot(tmp_path)
    found = inspection.repair(out)
    (link, *others) = sorted(found.findings, key=lambda f: f.kind is not Kind.LINK)
    assert (link.kind, link.path, link.mended) == (Kind.LINK, path, None)
    assert f"leads out of `{out}`" in link.what
    # The comparison names runs that are no longer there; what is behind the link is not looked at.
    assert {f.kind for f in others} <= {Kind.MISSING}
    assert snapshot(tmp_path) == before


def test_a_link_in_the_place_of_a_run_is_set_aside_as_compare_does(out):
    run = run_of(out, "steady")
    run.rename(out / "moved")
    run.symlink_to(out / "moved")
    repaired = inspection.repair(out)
    assert [(f.path, f.kind) for f in repaired.findings] == [
        (out / "moved", Kind.FOREIGN), (run, Kind.DAMAGED)
    ]  # fmt: skip
    assert run.with_name("seed-0.damaged").readlink() == out / "moved"
    assert run_folder.read(out / "moved") is not None


def test_a_live_lrlab_is_told_and_its_parts_are_no_leftovers(out):
    with lock.hold(out, report=Told(), command="lrlab compare x.yaml"):
        write(out / ".comparison.csv.12.part")
        (finding,) = inspection.inspect(out).findings
        assert finding.kind is Kind.IN_USE
        assert finding.what.endswith("(`lrlab compare x.yaml`)")
        refused = CliRunner().invoke(app, ["check", str(out), "--repair"])
        assert refused.exit_code == 3
        assert "is in use by process" in refused.stderr
    assert [f.kind for f in inspection.inspect(out).findings] == [Kind.LEFTOVER]


# --- mended results are trained again ---


def test_exactly_what_is_damaged_is_trained_anew_to_the_byte(trained, out):
    whole = reproducible(out)
    flip(run_of(out, "steady", 0) / "steps.npz")
    (run_of(out, "auto", 1) / "run.json").write_text("{")
    flip(run_of(out, "wild", 1) / "epochs.csv")
    keep_checkpoint(run_of(out, "auto", 0))
    write(out / "runs" / ".x.1.part")
    write(out / "mine.txt", "kept")
    (out / "comparison.json").write_text("{")
    done = CliRunner().invoke(app, ["check", str(out)])
    assert done.exit_code == 3
    assert done.stdout.splitlines()[-1] == "checked 6 runs: 3 fine, 3 damaged; 6 problems"
    assert inspection.repair(out).problems == []

    assert compare(trained, out).trained == ["auto 1", "steady 0", "wild 1"]
    kept = {name: text for name, text in reproducible(out).items() if ".damaged" not in name}
    assert kept == whole
    again = inspection.inspect(out)
    assert again.counts() == {"fine": 6, "unfinished": 0, "failed": 0, "damaged": 0}
    assert {f.kind for f in again.findings} == {Kind.ASIDE, Kind.FOREIGN}
    assert (out / "mine.txt").read_text() == "kept"


# --- the command ---


def test_output_word_for_word(out):
    run = run_of(out, "steady")
    flip(run / "steps.npz")
    write(out / "a\x1b[2J\n.txt")
    place = run.relative_to(out).as_posix()
    done = CliRunner().invoke(app, ["check", str(out), "--repair"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        "a\\x1b[2J\\n.txt: is not one of lrlab's files; lrlab leaves it alone\n"
        f"{place}/steps.npz: is damaged: its checksum is not the one in run.json; "
        "`seed-0` is kept as `seed-0.damaged`\n"
        "checked 6 runs: 5 fine, 1 damaged; 1 problem, 1 mended\n"
    )


def test_json(out):
    flip(run_of(out, "steady") / "epochs.csv")
    done = CliRunner().invoke(app, ["check", str(out), "--json"])
    assert done.exit_code == 3
    stated = json.loads(done.stdout)
    assert stated["runs"] == {
        "checked": 6, "fine": 5, "unfinished": 0, "failed": 0, "damaged": 1
    }  # fmt: skip
    (finding,) = stated["findings"]
    assert finding["path"].endswith("/seed-0/epochs.csv")
    assert (stated["problems"], finding["kind"], finding["problem"]) == (1, "damaged", True)


def test_no_directory(tmp_path):
    for options in ([], ["--repair"]):
        done = CliRunner().invoke(app, ["check", str(tmp_path / "none"), *options])
        assert done.exit_code == 3
        assert "is not a directory" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("holds", ["nothing", "a file", "results", "find-lr's"])
def test_a_directory_that_holds_no_results(holds, out, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    meant = "DIR"
    if holds == "a file":
        (other / "a.txt").write_text("not ours")
    elif holds != "nothing":
        meant = other / "mine"
        shutil.copytree(out if holds == "results" else out / "find-lr", meant)
    for options in ((), ("--repair",)):
        done = CliRunner().invoke(app, ["check", str(other), *options])
        assert (done.exit_code, done.stdout) == (3, "")
        assert done.stderr == (
            f"error: `{other}` is not a results directory: nothing in it is lrlab's\n\n"
            f"hint: name one, as in `lrlab check {meant}`\n"
        )
    assert not (other / lock.NAME).exists()


def test_setting_aside_what_is_not_there(tmp_path):
    with pytest.raises(ResultsError, match="cannot be written"):
        atomic.set_aside(tmp_path / "none")


# --- whatever lies there ---

CORPUS = Path(__file__).parent / "corpus"
PLACES = {
    "run.json": "runs/x-0123456789/seed-0/run.json",
    "epochs.csv": "runs/x-0123456789/seed-0/epochs.csv",
    "steps.npz": "runs/x-0123456789/seed-0/steps.npz",
    "checkpoint": "runs/x-0123456789/seed-0.checkpoint.npz",
    "comparison.json": "comparison.json",
    "sweep.json": "sweep.json",
    "sweep.csv": "sweep.csv",
}


@pytest.mark.parametrize("kind", PLACES)
def test_the_whole_corpus_is_looked_at_without_an_escape(kind, tmp_path):
    path = tmp_path / PLACES[kind]
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(CORPUS / "run.json" / "good.json", path.parent / "run.json")
    cases = sorted((CORPUS / kind).iterdir())
    for case in cases:
        shutil.copy(case, path)
        json.loads(inspection.to_json(inspection.inspect(tmp_path)))
    assert len(cases) > 5


@pytest.mark.parametrize("name", ["run.json", "epochs.csv", "weights.npz"])
def test_a_pipe_in_the_place_of_a_file_makes_nobody_wait(name, out):
    path = run_of(out, "steady") / name
    path.unlink()
    os.mkfifo(path)
    found = inspection.inspect(out)
    assert [finding.kind for finding in found.problems] == [Kind.DAMAGED]
    assert "is not a regular file" in found.problems[0].what
