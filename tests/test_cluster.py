"""Jobs on a Ray cluster: what every executor promises, and what is lost and found again.

Without Ray all of it is skipped. What needs TensorFlow in worker processes is slow.
"""

import importlib.util
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from dying import dies_for_one, dies_once, make
from engines import LinearEngine, job_of
from test_executors import (  # noqa: F401  They are held by this executor as well.
    experiment,
    test_a_job_that_raises_fails_alone,
    test_an_error_while_the_last_events_are_passed_on_does_not_hide_the_first,
    test_an_interruption_passes_the_last_checkpoints_on,
    test_every_event_comes_in_the_thread_that_asked,
    test_results_come_in_the_order_of_the_jobs,
)
from told import Told
from typer.testing import CliRunner

from lrlab import config
from lrlab import experiment as experiments
from lrlab.cli import app
from lrlab.errors import ClusterError, UsageError
from lrlab.experiment.executors import cluster as clusters
from lrlab.experiment.executors import ray_jobs, versions
from lrlab.experiment.executors.cluster import VARIABLES, connected
from lrlab.experiment.executors.ray_jobs import MOST_FAULTS
from lrlab.experiment.executors.threads import Threads
from lrlab.tasks import data
from lrlab.training.chunks import Pace
from lrlab.training.jobs import Failure, Lost, Progress, Result

if importlib.util.find_spec("ray") is None:  # It is to be imported by lrlab, which sets it up.
    pytest.skip("Ray is not installed: `pip install -e '.[ray]'`", allow_module_level=True)

TESTS = Path(__file__).parent
EVIL = "from pathlib import Path\nPath({marker!r}).write_text('was here')\n"


def descendants(root: int | None = None) -> set[int]:
    """The processes that one, by default this one, has started, and that they have started."""
    root = os.getpid() if root is None else root
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError):
            continue
    found = {root}
    while new := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= new
    return found - {root}


def at_work() -> list[int]:
    """The worker processes, started by this one, that do a job now."""

    def title(pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/cmdline").read_text()
        except OSError:
            return ""

    return sorted(pid for pid in descendants() if title(pid).startswith("ray::work"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A current folder with a module that nobody asked for."""
    found = tmp_path_factory.mktemp("current")
    for name in ("numpy", "pydantic", "typing_extensions"):
        (found / f"{name}.py").write_text(EVIL.format(marker=str(found / "marker")))
    return found


@pytest.fixture(scope="module")
def local(folder):
    """A cluster of two processors on this machine, for all tests of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), str(TESTS.parent)]))
        patch.chdir(folder)
        with connected("local", Told(), 2) as cluster:
            yield cluster


@pytest.fixture
def executor(local):
    return local(make, 2)


def test_a_lost_worker_costs_no_bit(local):
    events = []
    jobs = [job_of(experiment(6), seed, keep_checkpoints=True) for seed in range(2)]
    local(dies_once, 2).carry_out(jobs, lambda index, event: events.append((index, event)))
    results = {index: e.value for index, e in events if isinstance(e, Result)}
    lost = {index: e for index, e in events if isinstance(e, Lost)}
    assert lost.keys() == {0, 1}
    assert all(event.step > 0 for event in lost.values()), "they go on, and do not start over"
    for index, job in enumerate(jobs):
        (expected,) = Threads(lambda setup: LinearEngine(setup.batch_size), 1).results([job])
        assert results[index].loss.tobytes() == expected.loss.tobytes()
        assert results[index].epochs == expected.epochs


@pytest.mark.slow
def test_a_job_that_only_loses_workers_fails_alone(local):
    doomed = job_of(experiment().model_copy(update={"batch_size": 999}))
    events = []
    local(dies_for_one, 2).carry_out(
        [doomed, job_of(experiment())], lambda index, event: events.append((index, event))
    )
    assert sum(isinstance(event, Lost) for _, event in events) == MOST_FAULTS - 1
    ends = {index: event for index, event in events if isinstance(event, Failure | Result)}
    assert "lost its worker 3 times without getting further" in ends[0].error
    assert isinstance(ends[1], Result)


def test_other_versions_are_refused_by_name(local, monkeypatch):
    ours = versions.installed() | {"keras": "2.0"}
    monkeypatch.setattr(versions, "installed", lambda: ours)
    with pytest.raises(ClusterError, match=r"has keras \S+ instead of 2\.0"):
        local(make, 2).results([job_of(experiment())])


def test_modules_in_the_current_folder_are_not_run(local, folder):
    local(make, 2).results([job_of(experiment())])
    assert not (folder / "marker").exists()


@pytest.mark.slow
def test_progress_does_not_flood_the_driver(executor):
    events = []
    began = time.monotonic()
    executor.carry_out([job_of(experiment(3_000))], lambda _, event: events.append(event))
    seconds = time.monotonic() - began
    assert sum(isinstance(event, Progress) for event in events) <= seconds / 0.25 + 2


def test_a_job_travels_without_its_data(local, small_npz):
    source = data.resolve(str(small_npz))
    job = job_of(experiment())
    whole = replace(job, setup=replace(job.setup, data=source))
    sent = []
    slim = local(make, 2)
    slim._cluster = Recording(local, sent)
    slim.submit(whole, 0)
    assert len(local.ray.cloudpickle.dumps(sent[0])) < 20_000
    assert sent[0].setup == whole.setup, "it is still the same setup"
    assert len(sent[0].setup.data.sample()) == 2


class Recording:
    """A cluster that keeps what it is given."""

    def __init__(self, cluster, sent) -> None:
        self.ray, self._sent = cluster.ray, sent

    def submit(self, make, job, shift):
        self._sent.append(job)


def test_streams_are_refused(local, executor):
    job = job_of(experiment())
    streamed = replace(job.setup.data, name="flow", streamed=object())
    with pytest.raises(UsageError, match="`flow` is a stream"):
        executor.results([replace(job, setup=replace(job.setup, data=streamed))])


def test_signals_stay_ours(local):
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.slow
def test_the_token_is_nobody_elses_business(local):
    assert "RAY_AUTH_TOKEN" in os.environ
    script = "import ray, sys; ray.init(sys.argv[1], logging_level='CRITICAL')"
    address = local.ray.get_runtime_context().gcs_address
    plain = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH")}
    done = subprocess.run(
        [sys.executable, "-c", script, address],
        env=plain | {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode != 0, "a stranger could join"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("ray://head:10001", "lrlab has to run on a machine of the cluster itself"),
        ("127.0.0.1:1", "no cluster at `127.0.0.1:1`"),
    ],
)
def test_no_cluster(address, said, tmp_path):
    # In a process of its own: this one is connected already.
    (tmp_path / "a.yaml").write_text("schedule: {type: constant, lr: 0.1}\nepochs: 1\n")
    command = [sys.executable, "-m", "lrlab", "compare", "a.yaml", "--data", "sketches"]
    done = subprocess.run(
        [*command, "--seeds", "1", "--cluster", address], cwd=tmp_path,
        capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_without_ray_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(clusters.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs Ray"), clusters.executors("local", Told()):
        pass


@pytest.mark.slow
def test_what_is_finished_needs_no_cluster(tmp_path, small_npz, monkeypatch):
    (tmp_path / "a.yaml").write_text("schedule: {type: constant, lr: 0.1}\nepochs: 1\n")
    monkeypatch.chdir(tmp_path)
    command = ["compare", "a.yaml", "--data", str(small_npz), "--seeds", "1"]
    assert CliRunner().invoke(app, command).exit_code == 0
    again = CliRunner().invoke(app, [*command, "--cluster", "127.0.0.1:1"])
    assert again.exit_code == 0, again.output


def test_variables_that_change_results_are_sent():
    assert "TF_ENABLE_ONEDNN_OPTS" in VARIABLES


# --- for real: TensorFlow in worker processes, results on the disk ---

CONFIGS = {
    "steady": "schedule: {type: constant, lr: 0.005}\nepochs: 400\n",
    "watching": "schedule: {type: performance, initial_lr: 0.01, patience: 2}\nepochs: 400\n",
    "cycle": "schedule: {type: one_cycle, max_lr: 0.02, momentum: {low: 0.85}}\nepochs: 400\n"
    "optimizer: {type: sgd, momentum: 0.9}\n",
}
OFTEN = Pace(chunk_seconds=0.02, longest_chunk=20, checkpoint_seconds=0.2)


@pytest.fixture(scope="module")
def read(tmp_path_factory, small_npz):
    folder = tmp_path_factory.mktemp("configs")
    for name, text in CONFIGS.items():
        (folder / f"{name}.yaml").write_text(text)
    paths = [folder / f"{name}.yaml" for name in CONFIGS]
    return config.read(paths, config.overrides([], data=str(small_npz)))


@pytest.fixture(scope="module")
def by_threads(tmp_path_factory, read) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("threads")
    compared, _ = experiments.compare(read, out=out, seeds=2, report=Told(), keep_weights=True)
    experiments.save(compared, out)
    return reproducible(out)


def reproducible(out: Path) -> dict[str, bytes]:
    """The files of runs that hold no times."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.glob("runs/*/*/*"))
        if path.name != "run.json"
    }


class Slower(Told):
    """Keeps what it is told, and gives the killer time."""

    def __init__(self, on_progress=lambda: None) -> None:
        super().__init__()
        self._on_progress = on_progress

    def progress(self, run, progress):
        self._on_progress()


@pytest.mark.slow
def test_ten_workers_killed_at_random_cost_no_bit(local, read, by_threads, tmp_path, monkeypatch):
    # Chance may hit one run three times before its worker has even loaded TensorFlow.
    monkeypatch.setattr(ray_jobs, "MOST_FAULTS", 100)
    rng, kills, last = random.Random(7), [], [time.monotonic()]

    def kill_one():
        """Kill a worker that is in the middle of a run, now and then."""
        if len(kills) < 10 and time.monotonic() - last[0] > rng.uniform(2.0, 4.0):
            found = at_work()
            if found:
                kills.append(rng.choice(found))
                os.kill(kills[-1], signal.SIGKILL)
                last[0] = time.monotonic()

    told = Slower(kill_one)
    local._pace = OFTEN
    outs = [tmp_path / str(number) for number in range(10)]
    for out in outs:  # How much of it ten kills take depends on the machine.
        options = {"seeds": 2, "report": told, "executor": local, "keep_weights": True}
        experiments.compare(read, out=out, **options)
        assert reproducible(out) == by_threads
        if len(kills) == 10:
            break
    assert len(kills) == 10
    assert sum("its worker was lost" in text for text in told.warnings) >= 8
    records = [path.read_text() for path in tmp_path.glob("*/runs/*/*/run.json")]
    resumed = [json.loads(record)["resumed_at"] for record in records]
    assert any(resumed), "the record tells that a run went on elsewhere"


NODES = '''
import sys, threading, time
from pathlib import Path
from ray.cluster_utils import Cluster
from test_cluster import OFTEN, Told, at_work, config, connected, descendants, experiments

paths, data, out = sys.argv[1:-2], sys.argv[-2], Path(sys.argv[-1])
read = config.read([Path(path) for path in paths], config.overrides([], data=data))
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})

def wait_for_progress_on(node):
    """Wait until tasks are at work on a node, and then a little longer."""
    raylet = node.all_processes["raylet"][0].process.pid
    until = time.monotonic() + 60
    while not set(at_work()) & descendants(raylet) and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(3)

def come_and_go():
    first = cluster.add_node(num_cpus=1)
    while not list(out.glob("runs/*/*.checkpoint.npz")):
        time.sleep(0.1)
    wait_for_progress_on(first)
    cluster.remove_node(first, allow_graceful=False)
    second = cluster.add_node(num_cpus=2)
    wait_for_progress_on(second)
    cluster.remove_node(second, allow_graceful=False)
    print("came and went", file=sys.stderr)

class Quiet(Told):
    def progress(self, run, progress):
        pass

told = Quiet()
with connected(cluster.address, told, pace=OFTEN) as executor:
    options = {"seeds": 2, "report": told, "executor": executor, "keep_weights": True}
    thread = threading.Thread(target=lambda: experiments.compare(read, out=out, **options))
    thread.start()
    come_and_go()  # Ray starts nodes in the main thread alone.
    thread.join()
print(*told.warnings, sep="\\n")
cluster.shutdown()
'''


@pytest.mark.slow
def test_nodes_that_come_and_go_cost_no_bit(read, by_threads, small_npz, tmp_path):
    paths = [str(config_.source.path) for config_ in read]
    path = os.pathsep.join([str(TESTS), str(TESTS.parent)])
    done = subprocess.run(
        [sys.executable, "-c", NODES, *paths, str(small_npz), str(tmp_path)],
        cwd=tmp_path,  # Not the folder with the modules that must not be run.
        env=os.environ | {"PYTHONPATH": path, "RAY_AUTH_MODE": "disabled"},
        capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert "came and went" in done.stderr
    assert "was lost" in done.stdout, "a node went while it was at work"
    assert reproducible(tmp_path) == by_threads


MODEL = """
import keras
from sizes import WIDTH

def build(input_shape, outputs, seed):
    init = keras.initializers.GlorotUniform(seed)
    return keras.Sequential([
        keras.layers.Input(input_shape), keras.layers.Flatten(),
        keras.layers.Dense(WIDTH, "relu", kernel_initializer=init),
        keras.layers.Dense(outputs, "softmax", kernel_initializer=init),
    ])
"""


@pytest.mark.slow
def test_code_of_the_users_travels_with_its_modules(local, small_npz, tmp_path, monkeypatch):
    home = tmp_path / "home"
    home.mkdir()
    (home / "nets.py").write_text(MODEL)
    (home / "sizes.py").write_text("WIDTH = 12\n")
    (home / "rates.py").write_text("def falling(step):\n    return 0.05 / (1 + step / 20)\n")
    text = "schedule: {type: rates.py:falling}\nmodel: nets.py:build\nepochs: 2\n"
    (home / "own.yaml").write_text(text)
    monkeypatch.chdir(home)
    given = config.overrides([], data=str(small_npz))
    trusted = config.consents(given, ["nets.py", "rates.py"])
    read = config.read([Path("own.yaml")], given, trusted)
    for out, executor in (("one", Threads), ("other", local)):
        experiments.compare(read, out=tmp_path / out, seeds=2, report=Told(), executor=executor)
    assert len(reproducible(tmp_path / "one")) == 6
    assert reproducible(tmp_path / "one") == reproducible(tmp_path / "other")


def command(out: Path, data: Path, *options: str) -> list[str]:
    words = [sys.executable, "-m", "lrlab", "compare", "a.yaml", "--seeds", "2", "--json"]
    return [*words, "--data", str(data), "--out", str(out), *options]


def wait_for(found, seconds: float = 120):
    """Return what a function finds, once it finds anything."""
    until = time.monotonic() + seconds
    while not (there := found()):
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.02)
    return there


@pytest.mark.slow
def test_ctrl_c_leaves_no_task_behind(small_npz, tmp_path):
    (tmp_path / "a.yaml").write_text("schedule: {type: constant, lr: 0.005}\nepochs: 400\n")
    out = tmp_path / "out"
    running = subprocess.Popen(
        command(out, small_npz, "--cluster", "local"), cwd=tmp_path, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: list(out.glob("runs/*/*.checkpoint.npz")))
    began = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)  # As a terminal does it, to all processes.
    wait_for(lambda: not at_work())
    assert time.monotonic() - began < 2
    said, told = running.communicate(timeout=30)
    assert running.returncode == 130, told
    assert said == ""
    assert "run the same command again to resume" in told
    again = subprocess.run(
        command(out, small_npz), cwd=tmp_path, capture_output=True, text=True, check=True
    )
    json.loads(again.stdout)
    alone = tmp_path / "alone"
    subprocess.run(command(alone, small_npz), cwd=tmp_path, capture_output=True, check=True)
    assert reproducible(out) == reproducible(alone)


@pytest.mark.slow
def test_a_driver_that_vanishes_takes_its_workers_along(small_npz, tmp_path):
    (tmp_path / "a.yaml").write_text("schedule: {type: constant, lr: 0.005}\nepochs: 5000\n")
    out = tmp_path / "out"
    running = subprocess.Popen(
        command(out, small_npz, "--cluster", "local"), cwd=tmp_path,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    wait_for(lambda: list(out.glob("runs/*/*.checkpoint.npz")))
    started = [pid for pid in at_work() if pid in descendants(running.pid)]
    assert started
    running.kill()
    running.wait()
    wait_for(lambda: not [pid for pid in started if is_alive(pid)], 20)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_rates_for_auto_are_found_there_as_here(local, small_npz, tmp_path):
    text = "schedule: {type: one_cycle, max_lr: auto}\noptimizer: {type: sgd}\nepochs: 3\n"
    (tmp_path / "auto.yaml").write_text(text)
    read = config.read([tmp_path / "auto.yaml"], config.overrides([], data=str(small_npz)))
    for out, executor in (("here", Threads), ("there", local)):
        experiments.compare(read, out=tmp_path / out, seeds=1, report=Told(), executor=executor)
    found = [
        {path.name: path.read_bytes() for path in (tmp_path / out).glob("sweeps/*/*")}
        for out in ("here", "there")
    ]
    assert len(found[0]) == 3
    assert found[0] == found[1]
    assert reproducible(tmp_path / "here") == reproducible(tmp_path / "there")
