"""The data of `prediction.py`: the beginnings of lrlab's embedded sets, so that a run is short."""

from typing import Any

from lrlab.tasks import cycling as rides
from lrlab.tasks import sentences as tokens
from lrlab.tasks import sketches as garments

Pairs = tuple[tuple[Any, Any], tuple[Any, Any], tuple[Any, Any]]
"""To train on, to validate on, to test on."""

VALIDATION, TEST = 3_000, 100


def sketches() -> Pairs:
    """Return 6,000 pictures of garments to train on, scaled to about 1."""
    x, y, x_test, y_test = garments.sketches(6_000 + VALIDATION, TEST)
    return _parts((x.astype("float32") - 73.0) / 90.0, y, (x_test - 73.0) / 90.0, y_test)


def cycling() -> Pairs:
    """Return 6,000 rides to train on, each column standardised."""
    given = rides.cycling(6_000 + VALIDATION, TEST)
    mean, std = given.train.x.mean(axis=0), given.train.x.std(axis=0)
    return _parts(
        (given.train.x - mean) / std, given.train.y, (given.test.x - mean) / std, given.test.y
    )


def sentences() -> Pairs:
    """Return 6,000 sentences to train on."""
    given = tokens.sentences(6_000 + VALIDATION, TEST)
    return _parts(given.train.x, given.train.y, given.test.x, given.test.y)


def _parts(x: Any, y: Any, x_test: Any, y_test: Any) -> Pairs:
    return (x[VALIDATION:], y[VALIDATION:]), (x[:VALIDATION], y[:VALIDATION]), (x_test, y_test)
