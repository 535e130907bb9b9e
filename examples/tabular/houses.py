"""Write `houses.csv`, the prices of invented houses: `python examples/tabular/houses.py`."""

import csv
from pathlib import Path

import numpy as np

HOUSES = 600
ROOF = np.array(["slate", "tile", "tin"])


def rows():
    """Yield the header and the houses; a price is a known function of the rest, with 5 % noise."""
    rng = np.random.default_rng(0)
    area = rng.uniform(40, 240, HOUSES)
    rooms = np.clip(np.round(area / 25 + rng.normal(0, 1, HOUSES)), 1, 10)
    age = rng.integers(0, 90, HOUSES)
    roof = rng.integers(0, len(ROOF), HOUSES)
    price = 900 * area + 15_000 * rooms + np.array([60_000, 25_000, 0])[roof]
    price = price * np.exp(-age / 120) * (1 + 0.05 * rng.normal(0, 1, HOUSES))
    yield ["area", "rooms", "age", "roof", "price"]
    for a, r, y, kind, p in zip(area, rooms, age, ROOF[roof], price, strict=True):
        yield [f"{a:.1f}", int(r), y, kind, f"{p / 100_000:.4f}"]


if __name__ == "__main__":
    with Path(__file__).with_name("houses.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows())
