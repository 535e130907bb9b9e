"""A Ray cluster: connected to, or started on this machine, and left without a trace."""

import asyncio
import contextlib
import functools
import importlib.util
import os
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

from lrlab.errors import ClusterError, UsageError
from lrlab.experiment.executors import cores, ray_worker, versions
from lrlab.experiment.executors.executor import MakeEngine, MakeExecutor
from lrlab.experiment.executors.ray_jobs import RayJobs
from lrlab.experiment.executors.ray_worker import Terms
from lrlab.experiment.executors.threads import Threads
from lrlab.reporter import Reporter
from lrlab.training.chunks import USUAL, Pace
from lrlab.training.jobs import Job

LOCAL = "local"

VARIABLES = ("TF_ENABLE_ONEDNN_OPTS", "TF_DETERMINISTIC_OPS", "TF_XLA_FLAGS", "XLA_FLAGS")
"""Environment variables that change what TensorFlow computes; workers get the driver's."""

_REACH_SECONDS = 5.0
_LOOK_SECONDS = 2.0
_PROGRESS_SECONDS = 0.25
_PROGRESS_PER_SECOND = 200
_EVENTS_AHEAD = 4
"""Events of a task that may wait for the driver; then the task waits."""

_TASKS_AHEAD = 8

_ANY = 100_000


class Cluster:
    """A connection to a Ray cluster; it makes executors.

    Args:
        ray: The module.
        workers: How many jobs at a time; None: as many as there are processors.
        pace: How often jobs look up from their work.
    """

    def __init__(self, ray: Any, workers: int | None = None, pace: Pace = USUAL) -> None:
        self.ray = ray
        self._asked = workers
        self._pace = pace
        self._counted, self._looked = 0, 0.0
        node = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy(
            node_id=ray.get_runtime_context().get_node_id(), soft=False
        )
        self._stopper = (
            ray.remote(_Stopper)
            .options(
                num_cpus=0,
                scheduling_strategy=node,
                max_concurrency=_ANY,
                max_restarts=-1,
                max_task_retries=-1,
            )
            .remote()
        )
        self._work = ray.remote(ray_worker.work)

    def __call__(self, make: MakeEngine, workers: int) -> RayJobs:
        """Return an executor on the cluster."""
        return RayJobs(self, make, workers)

    def processors(self) -> int:
        """Return how many processors the cluster has now; nodes come and go."""
        if time.monotonic() - self._looked > _LOOK_SECONDS:
            self._counted = int(self.ray.cluster_resources().get("CPU", 0))
            self._looked = time.monotonic()
        return self._counted

    def default_workers(self, jobs: int) -> int:
        """Return how many jobs run side by side."""
        return max(1, min(self._asked or self.processors(), jobs))

    def most_workers(self) -> int:
        """Return how many jobs may run side by side: those without a processor wait for one."""
        return _ANY

    def room(self, workers: int) -> int:
        """Return for how many tasks there is room, where `workers` were planned.

        Where that are all processors, some more may wait for the next one, so that it is not idle
        until the driver has kept the result before.
        """
        processors = max(1, self.processors())
        room = workers if self._asked else processors
        return room + min(room, _TASKS_AHEAD) if room >= processors else room

    def submit(self, make: Any, job: Job, shift: int) -> Any:
        """Submit a job.

        Args:
            make: The reference to what makes engines.
            job: The job.
            shift: The number of the jobs that stop together.

        Returns:
            A generator of references to the job's events.
        """
        spread = self.processors() / _PROGRESS_PER_SECOND
        terms = Terms(
            versions.installed(),
            {name: os.environ.get(name, "") for name in VARIABLES},
            max(_PROGRESS_SECONDS, spread),
            self._pace,
        )
        return self._work.options(
            num_cpus=1,
            num_returns="streaming",
            max_retries=0,
            _generator_backpressure_num_objects=_EVENTS_AHEAD,
        ).remote(terms, [make], self.ray.cloudpickle.dumps(job), self._stopper, shift)

    def stop(self, shift: int) -> None:
        """Tell all tasks of a shift to stop."""
        self._stopper.stop.remote(shift)


class _Stopper:
    """An actor that every task asks once whether to stop, and that answers when it is so."""

    def __init__(self) -> None:
        self._said: defaultdict[int, asyncio.Event] = defaultdict(asyncio.Event)

    async def wait(self, shift: int) -> bool:
        """Return when the tasks of a shift are to stop."""
        return await self._said[shift].wait()

    async def stop(self, shift: int) -> None:
        """Let the tasks of a shift stop."""
        self._said[shift].set()


class _WhenNeeded:
    """Makes executors on a cluster that is not connected to before the first one is needed."""

    def __init__(self, connect: Callable[[], Cluster]) -> None:
        self._connected = functools.cache(connect)

    def __call__(self, make: MakeEngine, workers: int) -> RayJobs:
        return self._connected()(make, workers)

    def default_workers(self, jobs: int) -> int:
        return self._connected().default_workers(jobs)

    def most_workers(self) -> int:
        return self._connected().most_workers()


@contextlib.contextmanager
def executors(
    address: str | None, report: Reporter, workers: int | None = None
) -> Iterator[MakeExecutor]:
    """Give what makes executors: threads without an address, otherwise those of a cluster.

    Arguments and errors are those of `connected`. Where everything is finished already, no cluster
    is connected to.
    """
    if address is None:
        yield Threads
        return
    _check(address)
    with contextlib.ExitStack() as stack:
        yield _WhenNeeded(lambda: stack.enter_context(connected(address, report, workers)))


@contextlib.contextmanager
def connected(
    address: str, report: Reporter, workers: int | None = None, pace: Pace = USUAL
) -> Iterator[Cluster]:
    """Connect to a cluster, or start one on this machine, and leave it afterwards.

    Args:
        address: `local`, or a cluster's address as `ray start` tells it: `HOST:PORT`, or `auto`.
        report: Told what there is.
        workers: How many jobs at a time; None: one per processor of the cluster.
        pace: How often jobs look up from their work.

    Raises:
        UsageError: If Ray is not installed, or the address is not one.
        ClusterError: If there is no such cluster.
    """
    _check(address)
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        ray = _imported(address)
        with report.waiting("Starting Ray" if address == LOCAL else "Connecting to the cluster"):
            try:
                _reach(address)
                _begin(ray, address, workers, stack)
            except (
                OSError,
                OverflowError,
                RuntimeError,
                ValueError,
                ray.exceptions.RayError,
            ) as error:
                first = (str(error).strip().splitlines() or [type(error).__name__])[0]
                raise ClusterError(
                    f"no cluster at `{address}`: {first[:300]}",
                    "run lrlab on a machine of the cluster, with the address that `ray start` told "
                    "there; `--cluster local` needs none",
                ) from error
            cluster = Cluster(ray, workers, pace)
        nodes = sum(node["Alive"] for node in ray.nodes())
        report.note(
            f"Ray {ray.__version__}, {cluster.processors()} processors on {nodes} "
            f"node{'s' if nodes > 1 else ''}, after {time.monotonic() - began:.1f} seconds"
        )
        yield cluster


def _check(address: str) -> None:
    """Refuse what cannot be a cluster, before anything else is done."""
    if importlib.util.find_spec("ray") is None:
        raise UsageError("`--cluster` needs Ray", "install it with `pip install 'lrlab[ray]'`")
    if "://" in address:
        raise UsageError(
            f"`--cluster {address}`: lrlab has to run on a machine of the cluster itself",
            "run it there with `--cluster auto`; `ray job submit` does that from elsewhere",
        )


def _imported(address: str) -> Any:
    """Import Ray, which reads these variables then, as do the processes that it starts."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    if address == LOCAL and "ray" not in sys.modules:
        # Ray listens on all interfaces, and whoever knows this word may run code here.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)
    import ray
    import ray.util.scheduling_strategies

    return ray


def _reach(address: str) -> None:
    """Make sure that somebody listens at an address: Ray itself would try for minutes.

    Raises:
        OSError: If nobody does.
    """
    host, colon, port = address.rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), _REACH_SECONDS).close()


def _begin(ray: Any, address: str, workers: int | None, stack: contextlib.ExitStack) -> None:
    """Start or join a cluster; what has to be undone goes onto the stack."""
    # Ray would put the current folder first where workers look for modules.
    nowhere = tempfile.mkdtemp(prefix="lrlab-ray-")
    stack.callback(shutil.rmtree, nowhere, ignore_errors=True)
    options: dict[str, Any] = {"address": address}
    if address == LOCAL:
        options["num_cpus"] = workers or cores.available()
        options["include_dashboard"] = False
        options["_temp_dir"] = os.path.join(nowhere, "r")  # Ray lets everybody write into it.
    # Ray takes SIGTERM for itself.
    handlers = {name: signal.getsignal(name) for name in (signal.SIGINT, signal.SIGTERM)}
    with contextlib.chdir(nowhere):
        ray.init(log_to_driver=False, logging_level="ERROR", **options)
    stack.callback(ray.shutdown)
    for name, handler in handlers.items():
        signal.signal(name, handler)
    # What a raylet has to say would be printed on stdout, among the results; lrlab tells it itself.
    private = ray._private.worker
    if hasattr(private, "print_to_stdstream"):
        private.print_to_stdstream = lambda *_, **__: None
