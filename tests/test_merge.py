"""Shards, lists of seeds, and `lrlab merge`, on the command line and for real."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from lrlab.cli import app
from lrlab.errors import ResultsError, UsageError
from lrlab.experiment.portion import Shard, parse_seeds, parse_shard
from lrlab.io import atomic, records
from lrlab.results import checkpoint, merging, run_folder, test_openings
from lrlab.results.checkpoint import CheckpointOrigin
from lrlab.results.run import checkpoint_of

STEADY = "schedule: {type: constant, lr: 0.005}\nepochs: 2\n"
FALLING = "schedule: {type: exponential, initial_lr: 0.01, s: 1 epochs}\nepochs: 2\n"
SEEDS = 3


def lrlab(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def configs(tmp_path_factory) -> list[Path]:
    folder = tmp_path_factory.mktemp("configs")
    for name, text in (("steady", STEADY), ("falling", FALLING)):
        (folder / f"{name}.yaml").write_text(text)
    return [folder / "steady.yaml", folder / "falling.yaml"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory, configs, small_npz) -> Path:
    """What one machine gives; never written to."""
    out = tmp_path_factory.mktemp("whole") / "out"
    ended = lrlab("compare", *configs, "--data", small_npz, "--seeds", SEEDS, "--out", out)
    assert ended.exit_code == 0, ended.output
    return out


@pytest.fixture
def halves(whole, tmp_path) -> list[Path]:
    """The runs of the whole in two directories, as two machines would have them."""
    made = [tmp_path / "one", tmp_path / "two"]
    for number, run in enumerate(sorted(whole.glob("runs/*/seed-*"))):
        target = made[number % 2] / run.relative_to(whole)
        shutil.copytree(run, target)
    return made


def run_of(out: Path, name: str = "steady", seed: int = 0) -> Path:
    (folder,) = out.glob(f"runs/{name}-*/seed-{seed}")
    return folder


def files(out: Path) -> dict[str, bytes]:
    """All files of a directory that people look at, and the runs; the lock apart."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in out.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def without_times(content: dict[str, bytes]) -> dict[str, bytes]:
    """The files that two machines make alike: of those with times, what is not a time."""
    alike = {}
    for name, value in content.items():
        if name.endswith(("run.json", "comparison.json")):
            value = re.sub(rb'"(command|signature|comparison...?.?)": .*', b"", value)
            value = re.sub(rb'"train_seconds": (\{[^}]*\}|[^,]*)', b"", value)
        elif name in ("comparison.csv", "comparison.md", "report.html", ".shown.json"):
            continue  # They show seconds; all their other numbers are in comparison.json.
        alike[name] = value
    return alike


def test_merged_halves_are_the_whole_byte_for_byte(whole, halves, configs, small_npz, tmp_path):
    before = [files(half) for half in halves]
    ended = lrlab("merge", *halves, "--out", tmp_path / "out")
    assert ended.exit_code == 0, ended.output
    assert "6 runs (6 new)" in ended.stdout
    assert [files(half) for half in halves] == before, "the sources stay as they are"
    ended = lrlab("compare", *configs, "--data", small_npz, "--seeds", 3, "--out", tmp_path / "out")
    assert ended.exit_code == 0, ended.output
    assert "6 runs are finished already" in ended.stderr or "seed" not in ended.stderr
    assert files(tmp_path / "out") == files(whole)
    again = lrlab("merge", *halves, "--out", tmp_path / "out", "--json")
    assert json.loads(again.stdout)["new"] == 0
    assert files(tmp_path / "out") == files(whole)


def test_shards_train_apart_what_one_machine_trains(whole, configs, small_npz, tmp_path):
    data = ["--data", small_npz, "--seeds", SEEDS]
    shards = []
    for index in (1, 2):
        shards.append(tmp_path / f"shard-{index}")
        options = ["--shard", f"{index}/2", "--out", shards[-1]]
        ended = lrlab("compare", *configs, *data, *options)
        assert ended.exit_code == 0, ended.output
        assert f"shard {index}/2: 3 of 6 runs" in ended.stdout
        names = {path.name for path in shards[-1].iterdir()}
        assert names == {"runs", ".lock"}, "nothing is summarised"
    out = tmp_path / "out"
    assert lrlab("merge", *shards, "--out", out).exit_code == 0
    ended = lrlab("compare", *configs, *data, "--out", out)
    assert ended.exit_code == 0, ended.output
    assert without_times(files(out)) == without_times(files(whole))
    assert lrlab("check", out).stdout == "checked 6 runs: 6 fine\n"


def test_a_list_of_seeds_is_what_it_says(whole, configs, small_npz, tmp_path):
    out = tmp_path / "out"
    options = ["--data", small_npz, "--out", out, "--json"]
    ended = lrlab("compare", configs[0], *options, "--seed-list", "2,4")
    assert json.loads(ended.stdout)["experiments"][0]["seeds"] == [2, 4]
    assert {path.name for path in out.glob("runs/*/*")} == {"seed-2", "seed-4"}
    steps = [run_of(each, seed=2) / "steps.npz" for each in (out, whole)]
    assert steps[0].read_bytes() == steps[1].read_bytes()


def test_a_shard_without_runs_is_no_failure(configs, small_npz, tmp_path):
    options = ["--data", small_npz, "--seeds", 1, "--out", tmp_path / "out", "--json"]
    ended = lrlab("compare", configs[0], *options, "--shard", "7/9")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout) == {"shard": "7/9", "of": 1, "runs": []}
    assert lrlab("merge", tmp_path / "out", "--out", tmp_path / "all").exit_code == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shard", "0/3"], "must be I/N with I from 1 to N, got `0/3`"),
        (["--shard", "4/3"], "must be I/N"),
        (["--shard", "1/2", "--until-sure"], "`--shard` only trains"),
        (["--seeds", "2", "--seed-list", "1"], "are two ways to say the same"),
        (["--seed-list", "1", "--until-sure"], "chooses the number of seeds itself"),
        (["--seed-list", "5-2"], "`5-2` goes downward"),
        (["--seed-list", "1,x"], "`x` is neither a seed nor a range of seeds"),
        (["--seed-list", "1-3,2"], "seed 2 is named twice"),
        (["--seed-list", "1000"], "the highest seed is 999"),
        (["--seed-list", ""], "is neither a seed nor a range"),
    ],
)
def test_options_that_cannot_be_meant(options, said, configs, tmp_path):
    ended = lrlab("compare", configs[0], *options, "--out", tmp_path / "out")
    assert ended.exit_code == 2
    assert said in " ".join(ended.stderr.split())
    assert not (tmp_path / "out").exists()


def test_every_run_is_in_one_shard():
    pairs = list(range(23))
    for count in (1, 2, 5, 23, 30):
        shards = [parse_shard(f"{index}/{count}").of(pairs) for index in range(1, count + 1)]
        assert sorted(pair for shard in shards for pair in shard) == pairs
        assert max(map(len, shards)) - min(map(len, shards)) <= 1
    assert parse_seeds("5-9, 12") == (5, 6, 7, 8, 9, 12)
    with pytest.raises(UsageError):
        parse_shard("1/0")
    assert str(Shard(2, 3)) == "2/3"


def retold(folder: Path, **changes) -> None:
    """Give a run another record, soundly signed."""
    stated = json.loads((folder / "run.json").read_bytes())
    del stated["signature"]
    (folder / "run.json").write_text(records.sign(records.text(stated | changes)))


def rewritten(folder: Path) -> None:
    """Give a run other losses, with sound checksums: another machine's last digits."""
    kept = run_folder.read(folder)
    kept.result.loss[0] *= np.float32(1.0001)
    environment = dict(kept.origin.environment) | {"processor": "another"}
    origin = run_folder.RunOrigin(
        **{each.name: getattr(kept.origin, each.name) for each in fields(run_folder.RunOrigin)}
    )
    run_folder.write(folder, kept.result, replace(origin, environment=environment))


def test_two_different_results_are_refused_and_both_named(whole, halves, tmp_path):
    shutil.copytree(
        run_of(halves[0], "falling"),
        halves[1] / run_of(halves[0], "falling").relative_to(halves[0]),
    )
    other = run_of(halves[1], "falling")
    rewritten(other)
    ended = lrlab("merge", *halves, "--out", tmp_path / "out")
    assert ended.exit_code == 3
    said = " ".join(ended.stderr.split())
    both = f"`{run_of(halves[0], 'falling')}` and `{other}` hold"
    assert f"{both} different results of one run: steps.npz" in said
    assert "and another" in said, "it says in what the machines differ"
    assert not list((tmp_path / "out").glob("runs/*")), "nothing was written"


def test_a_test_result_that_differs_is_another_result(halves, tmp_path):
    shutil.copytree(
        run_of(halves[0], "falling"),
        halves[1] / run_of(halves[0], "falling").relative_to(halves[0]),
    )
    stated = json.loads((run_of(halves[1], "falling") / "run.json").read_bytes())["test"]
    retold(run_of(halves[1], "falling"), test=stated | {"loss": 0.125})
    with pytest.raises(ResultsError, match=r"different results of one run: run\.json"):
        merging.merge(halves, tmp_path / "out")


def test_what_ended_wins_over_what_failed(whole, tmp_path):
    for name in ("failed", "fine"):
        shutil.copytree(whole / "runs", tmp_path / name / "runs")
    retold(run_of(tmp_path / "failed"), status="failed", error="no luck")
    merged = merging.merge([tmp_path / "failed", tmp_path / "fine"], tmp_path / "out")
    assert (merged.runs, merged.failed) == (6, 0)
    assert run_folder.read(run_of(tmp_path / "out")).result.status == "done"
    merged = merging.merge([tmp_path / "failed"], tmp_path / "alone")
    assert (merged.runs, merged.failed) == (5, 1)
    merged = merging.merge([tmp_path / "fine"], tmp_path / "alone")
    assert (merged.runs, merged.new, merged.failed) == (6, 1, 0)


def kept_at(out: Path, like: Path, steps: int) -> Path:
    """Let a run of `like` be cut off in `out` after some steps."""
    kept = run_folder.read(like)
    path = checkpoint_of(out / "runs" / like.parent.name / like.name)
    state = checkpoint.Checkpoint(
        (), (), (), kept.result.lr[:steps], kept.result.loss[:steps], (), 1.0
    )
    origin = CheckpointOrigin(
        identity=kept.origin.identity, seed=kept.origin.seed, environment={"python": "3"}
    )
    checkpoint.write(path, state, origin)
    return path


def test_of_runs_that_were_cut_off_the_furthest_is_kept(whole, tmp_path):
    for name, steps in (("one", 5), ("two", 9), ("three", 7)):
        kept_at(tmp_path / name, run_of(whole), steps)
    sources = [tmp_path / name for name in ("one", "two", "three")]
    assert merging.merge(sources, tmp_path / "out").checkpoints == 1
    (found,) = tmp_path.glob("out/runs/*/*.npz")
    assert len(checkpoint.read(found).state.loss) == 9
    merged = merging.merge([whole], tmp_path / "out")
    assert (merged.runs, merged.checkpoints) == (6, 0)
    assert not found.exists(), "the run has ended now"


def test_weights_are_kept_where_one_has_them(whole, configs, small_npz, tmp_path):
    options = ["--data", small_npz, "--seeds", 1, "--out", tmp_path / "kept", "--keep-weights"]
    assert lrlab("compare", configs[0], *options).exit_code == 0
    merging.merge([whole, tmp_path / "kept"], tmp_path / "out")
    assert run_folder.read(run_of(tmp_path / "out")).has_weights
    weights = [run_of(tmp_path / name) / "weights.npz" for name in ("out", "kept")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
    assert len(test_openings.read(tmp_path / "out").openings) == 2


def test_damage_is_refused_with_its_remedy(halves, tmp_path):
    path = run_of(halves[0], "falling") / "steps.npz"
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    ended = lrlab("merge", *halves, "--out", tmp_path / "out")
    assert ended.exit_code == 3
    assert f"`{path}` is damaged" in ended.stderr
    assert f"lrlab check {halves[0]}" in ended.stderr
    assert not list((tmp_path / "out").glob("runs/*"))


def test_a_link_that_leads_out_is_not_followed(halves, tmp_path):
    secret = tmp_path / "secret"
    run = run_of(halves[0], "falling")
    shutil.move(run, secret)
    run.symlink_to(secret)
    with pytest.raises(ResultsError, match="leads out of"):
        merging.merge(halves, tmp_path / "out")
    with pytest.raises(ResultsError, match="is not a directory"):
        merging.merge([tmp_path / "nowhere"], tmp_path / "out")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "me.png").write_bytes(b"")
    with pytest.raises(ResultsError, match="is not a results directory"):
        merging.merge([tmp_path / "photos"], tmp_path / "out")


def test_a_merge_that_was_cut_off_goes_on(whole, halves, tmp_path, monkeypatch):
    made, write = [], atomic.write_folder

    def failing(target, contents):
        if len(made) == 2:
            raise ResultsError("no space", path=target)
        made.append(target)
        write(target, contents)

    monkeypatch.setattr(merging, "_WRITERS", 1)
    monkeypatch.setattr(atomic, "write_folder", failing)
    with pytest.raises(ResultsError, match="no space"):
        merging.merge(halves, tmp_path / "out")
    monkeypatch.setattr(atomic, "write_folder", write)
    assert merging.merge(halves, tmp_path / "out").new == 4
    for path in (tmp_path / "out").glob("runs/*/*/*"):
        assert path.read_bytes() == (whole / path.relative_to(tmp_path / "out")).read_bytes()


def test_unlike_sweeps_are_refused(tmp_path, configs, small_npz):
    config = configs[0].with_name("auto.yaml")
    config.write_text("schedule: {type: constant, lr: auto}\noptimizer: {type: sgd}\nepochs: 1\n")
    for name in ("one", "two"):
        options = ["--data", small_npz, "--seeds", 2, "--out", tmp_path / name]
        ended = lrlab("compare", config, *options, "--shard", "1/2" if name == "one" else "2/2")
        assert ended.exit_code == 0, ended.output
    merged = merging.merge([tmp_path / "one", tmp_path / "two"], tmp_path / "out")
    assert (merged.runs, merged.sweeps) == (2, 1), "both have found the same rate"
    (found,) = tmp_path.glob("two/sweeps/*/verified-*.json")
    stated = json.loads(found.read_bytes())
    del stated["signature"]
    found.write_text(records.sign(records.text(stated | {"steps": stated["steps"] + 1})))
    with pytest.raises(ResultsError, match="different sweeps for `auto` of one setup"):
        merging.merge([tmp_path / "two"], tmp_path / "out")


def test_what_is_not_merged_is_said(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "one")
    (tmp_path / "one" / "find-lr").mkdir()
    (tmp_path / "one" / "notes.txt").write_text("mine")
    ended = lrlab("merge", tmp_path / "one", "--out", tmp_path / "out")
    assert "a sweep of `find-lr`" in ended.stdout
    assert "notes.txt`: is not one of lrlab's files" in ended.stdout
    assert "makes the tables and figures" in ended.stdout


EXAMPLES = Path(__file__).parents[1] / "examples" / "clusters"


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="no examples/ beside the tests")
@pytest.mark.parametrize("cluster", ["slurm", "kubernetes"])
def test_the_scripts_for_clusters_call_what_there_is(cluster, tmp_path):
    called = tmp_path / "lrlab"
    called.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    called.chmod(0o755)
    command = [str(EXAMPLES / "slurm.sh")]
    if cluster == "kubernetes":
        job = yaml.safe_load((EXAMPLES / "kubernetes.yaml").read_text())
        (container,) = job["spec"]["template"]["spec"]["containers"]
        command = container["command"] + container["args"]
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "JOB_COMPLETION_INDEX": "2"}
    environment |= {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "10"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    said = ran.stdout.split("\n")
    assert said[0] == "compare"
    assert parse_shard(said[said.index("--shard") + 1]) == Shard(3, 10)
    known = lrlab("compare", "--help").stdout
    assert all(word in known for word in said if word.startswith("--"))
