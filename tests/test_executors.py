"""Executors: what they promise, held by all of them, on an engine that starts in no time."""

import threading
import time

import numpy as np
import pytest
from engines import LinearEngine, job_of, train
from inline import Inline

from lrlab.config import Experiment
from lrlab.errors import TrainingError
from lrlab.experiment.executors.threads import Threads
from lrlab.results.checkpoint import Checkpoint
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.optimizers import Sgd
from lrlab.tasks.setup import Setup
from lrlab.training.jobs import Failure, Progress, Result, ShortJob, SweepJob

EXECUTORS = {"threads": Threads, "inline": Inline}
SETUP = Setup(DataSource("never read", "0" * 64, 1), "mlp", Sgd(type="sgd"), 32)


def experiment(epochs: int = 3) -> Experiment:
    schedule = {"type": "power", "initial_lr": 0.5, "s": "3 steps"}
    return Experiment.model_validate({"schedule": schedule, "epochs": epochs})


def make(setup):
    if setup.batch_size == 999:
        raise RuntimeError("there is\nno such engine")
    return LinearEngine(setup.batch_size)


def failing(seed=0):
    what = experiment().model_copy(update={"batch_size": 999})
    return job_of(what, seed)


@pytest.fixture(params=EXECUTORS)
def executor(request):
    return EXECUTORS[request.param](make, 2)


def test_results_come_in_the_order_of_the_jobs(executor):
    jobs = [job_of(experiment(), seed) for seed in range(5)]
    jobs += [SweepJob(SETUP, np.full(10, 0.1), 3), ShortJob(SETUP, np.full(10, 0.1), 3)]
    *results, swept, score = executor.results(jobs)
    for seed, result in enumerate(results):
        expected = train(LinearEngine(), experiment(), seed)
        assert result.loss.tobytes() == expected.loss.tobytes()
        assert result.epochs == expected.epochs
    assert swept.losses.shape == (10,)
    assert 0 < score.score <= 1


def test_a_job_that_raises_fails_alone(executor):
    events = []
    jobs = [job_of(experiment()), failing(), job_of(experiment(), 1)]
    executor.carry_out(jobs, lambda index, event: events.append((index, event)))
    ends = {index: event for index, event in events if not isinstance(event, Progress)}
    assert isinstance(ends[0], Result)
    assert isinstance(ends[2], Result)
    assert ends[1].error == "RuntimeError: there is no such engine"
    assert isinstance(ends[1], Failure)
    assert "Traceback" in ends[1].trace
    with pytest.raises(TrainingError, match="there is no such engine"):
        executor.results(jobs)


def test_every_event_comes_in_the_thread_that_asked(executor):
    threads = set()
    jobs = [job_of(experiment(), seed, keep_checkpoints=True) for seed in range(3)]
    executor.carry_out(jobs, lambda *_: threads.add(threading.current_thread()))
    assert threads == {threading.current_thread()}


def test_a_job_waits_until_its_checkpoint_is_kept(executor):
    jobs, kept, events = [job_of(experiment(20), keep_checkpoints=True)], [], []

    def slow(index, event):
        events.append(event)
        if isinstance(event, Checkpoint):
            time.sleep(0.05)
            kept.append((len(event.loss), time.monotonic()))

    executor.carry_out(jobs, slow)
    assert kept
    steps, _ = kept[0]
    at = next(i for i, event in enumerate(events) if isinstance(event, Checkpoint))
    assert all(event.step <= steps for event in events[:at])
    assert len(kept) < 19, "as long as a checkpoint took is trained before the next one, and more"


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_an_interruption_passes_the_last_checkpoints_on(error, executor):
    jobs = [job_of(experiment(100_000), seed, keep_checkpoints=True) for seed in range(2)]
    before, kept, interrupted = threading.active_count(), {}, []

    def on_event(index, event):
        if isinstance(event, Checkpoint):
            kept[index] = event
        elif isinstance(event, Progress) and event.step > 200 and not interrupted:
            interrupted.append(event)
            raise error("now")

    with pytest.raises(error, match="now"):
        executor.carry_out(jobs, on_event)
    assert threading.active_count() == before
    assert any(len(checkpoint.loss) >= 200 for checkpoint in kept.values())
    assert 0 < len(kept) <= 2


def test_an_error_while_the_last_events_are_passed_on_does_not_hide_the_first(executor):
    jobs = [job_of(experiment(100_000), seed, keep_checkpoints=True) for seed in range(2)]
    before, raised = threading.active_count(), []

    def broken(index, event):
        raised.append(event)
        raise RuntimeError(f"error {len(raised)}")

    with pytest.raises(RuntimeError, match="error 1"):
        executor.carry_out(jobs, broken)
    assert threading.active_count() == before


def test_an_engine_is_made_once_for_each_setup():
    made = []

    def counted(setup):
        made.append(setup)
        return LinearEngine(setup.batch_size)

    jobs = [job_of(experiment(), seed) for seed in range(4)]
    Inline(counted).results(jobs)
    assert len(made) == 1
    twice = [job_of(experiment().model_copy(update={"batch_size": 50})), *jobs]
    made.clear()
    Inline(counted).results(twice)
    assert len(made) == 2
