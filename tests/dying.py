"""Makers of engines for worker processes, some of which die; nothing heavy is imported."""

import os
import signal
import time

from linear import LinearEngine


def make(setup):
    """Make an engine, for one batch size an error."""
    if setup.batch_size == 999:
        raise RuntimeError("there is\nno such engine")
    return LinearEngine(setup.batch_size)


def dies_for_one(setup):
    """Make an engine, for one batch size the process ends as by the kernel, short of memory."""
    if setup.batch_size == 999:
        os.kill(os.getpid(), signal.SIGKILL)
    return LinearEngine(setup.batch_size)


def dies_once(setup):
    """Make an engine whose process dies after its first checkpoint, unless that was so before."""
    return DyingEngine(setup.batch_size)


class DyingEngine(LinearEngine):
    """An engine that dies in the third epoch of a run that it has begun itself."""

    epochs = 0
    began = False

    def start(self, seed):
        super().start(seed)
        self.began, self.epochs = True, 0

    def restore(self, values):
        super().restore(values)
        self.began = False

    def take_score(self, examples):
        self.epochs += 1
        if self.began and self.epochs == 3:
            time.sleep(0.5)  # So that the checkpoints have left.
            os.kill(os.getpid(), signal.SIGKILL)
        return super().take_score(examples)
