"""Global random state: what a user's code does to it is undone.

TensorFlow and Keras are looked at only if something has imported them already.
"""

import contextlib
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Restore = Callable[[], None]

_KERAS = "keras.src.backend.common.global_state"
_TENSORFLOW = "tensorflow.python.eager.context"
_GENERATOR = "tensorflow.python.ops.stateful_random_ops"
# `keras.utils.set_random_seed` sets both; `keras.random` without a seed draws from the second, and
# makes it when it is first needed.
_SEED, _SEEDS = "global_random_seed", "global_seed_generator"


@contextlib.contextmanager
def preserved_random_state(seed: int | None = None) -> Iterator[Restore]:
    """Put the global random state of Python, NumPy, TensorFlow and Keras back at the end.

    It comes back bit for bit however the block ends. A library that is first imported in the block
    is afterwards as if nobody had set its seed.

    Args:
        seed: Where the block's own randomness starts, >= 0; None goes on from the present state.

    Yields:
        A function that puts the state back at once, as often as it is called.

    Example:
        >>> with preserved_random_state(7):
        ...     first = random.random()
        >>> with preserved_random_state(7):
        ...     first == random.random()
        True
    """
    restore = restorer()
    try:
        if seed is not None:
            _start(seed)
        yield restore
    finally:
        restore()


def restorer() -> Restore:
    """Return a function that puts the present global random state back, however often."""
    parts = (_python(), _numpy(), _tensorflow(), _keras())

    def restore() -> None:
        for part in parts:
            part()

    return restore


def _start(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - a user's code may draw from it.
    if tensorflow := sys.modules.get("tensorflow"):
        tensorflow.random.set_seed(seed)
    if state := sys.modules.get(_KERAS):
        state.set_global_attribute(_SEED, seed)
        state.set_global_attribute(_SEEDS, None)


def _python() -> Restore:
    state = random.getstate()
    return lambda: random.setstate(state)


def _numpy() -> Restore:
    state = np.random.get_state()  # noqa: NPY002 - a user's code may draw from it.
    return lambda: np.random.set_state(state)  # noqa: NPY002


def _tensorflow() -> Restore:
    # There is no public access to either, short of making a global generator that was not there:
    # `tf.random.set_seed` keeps the seeds of eager operations in the context.
    seed, seeds, kept_seeds = None, None, None
    if module := sys.modules.get(_TENSORFLOW):
        seed, seeds = module.context()._seed, getattr(module.context(), "_rng", None)
        kept_seeds = seeds.getstate() if seeds is not None else None
    generator = getattr(sys.modules.get(_GENERATOR), "global_generator", None)
    kept = _value(generator)

    def restore() -> None:
        if module := sys.modules.get(_TENSORFLOW):
            context: Any = module.context()
            context._seed = seed
            if seeds is not None:
                seeds.setstate(kept_seeds)
                context._rng = seeds
        if _GENERATOR in sys.modules:
            owner: Any = sys.modules[_GENERATOR]
            owner.global_generator = generator
            _assign(generator, kept)

    return restore


def _keras() -> Restore:
    module = sys.modules.get(_KERAS)
    seed = module.get_global_attribute(_SEED) if module else None
    generator = module.get_global_attribute(_SEEDS) if module else None
    kept = _value(generator)

    def restore() -> None:
        if module := sys.modules.get(_KERAS):
            module.set_global_attribute(_SEED, seed)
            module.set_global_attribute(_SEEDS, generator)
        _assign(generator, kept)

    return restore


def _value(generator: Any) -> Any:
    """Return the state of a generator, None without one; also while a function is traced."""
    if generator is None:
        return None
    with sys.modules["tensorflow"].init_scope():
        return generator.state.numpy()


def _assign(generator: Any, state: Any) -> None:
    if generator is not None:
        with sys.modules["tensorflow"].init_scope():
            generator.state.assign(state)
