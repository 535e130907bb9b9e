"""The embedded regression: the power that a cyclist needs, measured with noise.

The formula is that of Martin et al. (1998), https://doi.org/10.1123/jab.14.3.276, without changes
of speed and bearing friction.
"""

import numpy as np
from numpy.typing import NDArray

from lrlab.tasks.parts import Given, Part
from lrlab.tasks.raw_bits import RawBits

SEED = 1998
TRAIN_ROWS = 20_000
TEST_ROWS = 5_000
NOISE = 0.03
"""Standard deviation of the meter's noise in kW: no model has a squared error below its square.

Nor an absolute error below 0.0242, its mean distance from 0.
"""

FINGERPRINT = "f3afb75f1c571b6303d9ad4281dc4a5c43afd521c7eb67e0c5cde7ec8dde1258"
"""Of the whole data set; a test holds both together."""

FEATURES = {
    "speed": (2.0, 14.0),  # m/s
    "slope": (-0.08, 0.1),  # rise over run
    "head_wind": (-7.0, 7.0),  # m/s, along the road
    "mass": (55.0, 110.0),  # kg, rider and bicycle
    "drag_area": (0.2, 0.6),  # m², of a time trial up to an upright posture
    "rolling": (0.002, 0.012),  # coefficient of the tyres
    "air_density": (0.9, 1.3),  # kg/m³
    "efficiency": (0.9, 0.99),  # of the chain
}
"""The columns with the range that each is drawn from, evenly."""

_GRAVITY = 9.80665


def cycling(train: int = TRAIN_ROWS, test: int = TEST_ROWS) -> Given:
    """Return the data set: eight numbers per ride and the power in kW.

    On the road the force is gravity, rolling and air; power is force times speed over efficiency,
    and 0 where the bicycle rolls by itself:

        max(0, v (m g (slope + rolling) / sqrt(1 + slope²) + rho/2 drag_area w |w|)) / efficiency

    with w = speed + head wind. Interactions, a cube and a kink make it more than a linear task.

    Args:
        train: Rows to train on, >= 1; fewer are the beginning of more.
        test: Rows to test on, >= 1.

    Returns:
        Inputs float32 (n, 8), to be standardised, and targets float32 (n,).

    Example:
        >>> given = cycling(1_000, 100)
        >>> given.train.x.shape, given.test.y.shape
        ((1000, 8), (100,))
    """
    parts = [_rows(0, train, TRAIN_ROWS), _rows(1, test, TEST_ROWS)]
    return Given(parts[0], test=parts[1], standardise=True, features=tuple(FEATURES))


def power(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the power in kW without noise, for the columns of `FEATURES`; float64 (n,)."""
    speed, slope, wind, mass, drag_area, rolling, density, efficiency = x.T
    road = mass * _GRAVITY * (slope + rolling) / np.sqrt(1.0 + slope * slope)
    against = speed + wind
    air = 0.5 * density * drag_area * against * np.abs(against)
    needed: NDArray[np.float64] = np.maximum(0.0, speed * (road + air) / efficiency) / 1000.0
    return needed


def _rows(split: int, count: int, most: int) -> Part:
    count_drawn = max(count, most)
    columns = [
        RawBits(SEED, split, index).uniform(low, high, count_drawn)
        for index, (low, high) in enumerate(FEATURES.values())
    ]
    x = np.stack([column[:count] for column in columns], axis=1).astype(np.float32)
    noise = RawBits(SEED, split, len(FEATURES))
    shifts = noise.bell(NOISE, count_drawn)[:count]
    # The noise is that of the power of the rounded inputs, which a model sees.
    y = power(x.astype(np.float64)) + shifts
    return Part(x, y.astype(np.float32))
