"""How far the verdict can be trusted: simulations with known truth, and lrlab's own runs.

    python benchmarks/verdicts.py [--quick] > benchmarks/statistics.md

A cell of the grid draws scores of k experiments with n seeds many times and asks each procedure for
its best set and its intervals. The spread of the experiments' standard deviations is a ratio, the
seeds are shared with a correlation, errors are normal, t with 5 degrees of freedom, skewed
(exponential), or normal with 5 % of the runs collapsed, which take no part. Under *ties* all means
are equal; under *staircases* each is behind the one before by half a standard deviation. Needs
SciPy, with which the other procedures are computed.
"""

import argparse
import functools
import itertools
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import stats

from lrlab.analysis import looks
from lrlab.analysis.best_set import best_set, deficits

ALPHA = 0.05
KS, NS, RATIOS, CORRELATIONS = (2, 6, 12, 20), (3, 5, 10), (1.0, 4.0, 16.0), (0.0, 0.9)
ERRORS = ("normal", "t5", "5 % collapsed", "skewed")
STEP = 0.5
"""How far each experiment of a staircase is behind the one before, in standard deviations."""

AT = looks.planned()
RUNS = Path(__file__).with_name("statistics_runs.json")
"""Final validation accuracies of real runs; see `same_schedule.py`."""


class Cell(NamedTuple):
    """A cell of the grid."""

    k: int
    n: int
    ratio: float
    correlation: float
    errors: str


class Found(NamedTuple):
    """A procedure's answer for many draws: who may be the best, the intervals of the deficits."""

    best: np.ndarray
    low: np.ndarray
    high: np.ndarray


def grid() -> Iterator[Cell]:
    """Yield the cells."""
    for cell in itertools.product(KS, NS, RATIOS, CORRELATIONS, ERRORS):
        yield Cell(*cell)


def sigmas(cell: Cell) -> np.ndarray:
    """Return the true standard deviation of each experiment."""
    return np.geomspace(1.0, cell.ratio, cell.k) / np.sqrt(cell.ratio)


def draw(cell: Cell, means: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return scores, shape (count, k, n), NaN where a run collapsed."""
    rng = np.random.default_rng([seed, cell.k, cell.n, int(cell.ratio), int(10 * cell.correlation)])

    def errors(*shape: int) -> np.ndarray:
        if cell.errors == "t5":
            return rng.standard_t(5, shape) / np.sqrt(5 / 3)
        if cell.errors == "skewed":
            return 1.0 - rng.exponential(1.0, shape)
        return rng.normal(0, 1, shape)

    shared, own = errors(count, 1, cell.n), errors(count, cell.k, cell.n)
    mixed = np.sqrt(cell.correlation) * shared + np.sqrt(1 - cell.correlation) * own
    scores = means[:, None] + sigmas(cell)[:, None] * mixed
    if "collapsed" in cell.errors:
        gone = rng.random(scores.shape) < 0.05
        # Two runs are left at least, as the procedure needs; others would take no part.
        gone &= np.cumsum(~gone, axis=-1) > 2
        scores = np.where(gone, np.nan, scores)
    return scores


def moments(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return means, variances and counts of the scores that are there."""
    return np.nanmean(scores, -1), np.nanvar(scores, -1, ddof=1), np.isfinite(scores).sum(-1)


def shrunk_welch(scores: np.ndarray, alpha: float = ALPHA) -> Found:
    """Return what lrlab says."""
    means, variances, counts = moments(scores)
    best, low, high = (np.empty(means.shape, kind) for kind in (bool, float, float))
    for pattern in np.unique(counts, axis=0):
        here = (counts == pattern).all(axis=1)
        found = deficits(means[here], variances[here], pattern, alpha)
        best[here], low[here], high[here] = found.may_be_best, found.low, found.high
    return Found(best, low, high)


def from_margins(means: np.ndarray, margins: np.ndarray) -> Found:
    """Return the best set and the deficits that half widths of all pairs give, shape (.., k, k)."""
    k = means.shape[-1]
    difference = means[:, :, None] - means[:, None, :]
    itself = np.eye(k, dtype=bool)
    best = ~((difference - margins > 0) & ~itself).any(axis=1)
    among = np.broadcast_to(best[:, :, None], difference.shape)
    low = np.where(among, np.where(itself, 0.0, difference - margins), np.inf).min(axis=1)
    high = np.where(among, np.where(itself, 0.0, difference + margins), -np.inf).max(axis=1)
    return Found(best, np.where(best, 0.0, np.maximum(low, 0)), np.maximum(high, 0))


def paired_t(scores: np.ndarray) -> Found:
    """Return comparisons by the paired t test, Bonferroni over k - 1."""
    k = scores.shape[1]
    differences = scores[:, :, None, :] - scores[:, None, :, :]
    n = np.maximum(np.isfinite(differences).sum(-1), 2)
    error = np.nanstd(differences, -1, ddof=1) / np.sqrt(n)
    return from_margins(
        np.nanmean(scores, -1), stats.t.isf(ALPHA / (2 * (k - 1)), n - 1) * np.nan_to_num(error)
    )


def games_howell(scores: np.ndarray) -> Found:
    """Return all pairwise comparisons after Games and Howell (1976)."""
    means, variances, counts = moments(scores)
    of_mean = variances / counts
    both = of_mean[:, :, None] + of_mean[:, None, :]
    parts = of_mean**2 / (counts - 1)
    df = both**2 / (parts[:, :, None] + parts[:, None, :])
    return from_margins(means, _range_quantile(scores.shape[1], df) * np.sqrt(both / 2))


def pooled(scores: np.ndarray) -> Found:
    """Return comparisons with the best with one pooled variance (Hsu's MCB, Bonferroni)."""
    means, variances, counts = moments(scores)
    k, nu = scores.shape[1], counts - 1
    total = nu.sum(-1)
    common = (nu * variances).sum(-1) / total
    both = 1 / counts[:, :, None] + 1 / counts[:, None, :]
    critical = stats.t.isf(ALPHA / (2 * (k - 1)), total)[:, None, None]
    return from_margins(means, critical * np.sqrt(common[:, None, None] * both))


@functools.cache
def _range_table(k: int) -> tuple[np.ndarray, np.ndarray]:
    df = np.array([1, 1.5, 2, 3, 4, 6, 9, 15, 30, 100], float)
    return 1 / df[::-1], np.log(stats.studentized_range.isf(ALPHA, k, df))[::-1]


def _range_quantile(k: int, df: np.ndarray) -> np.ndarray:
    inverse, log = _range_table(k)
    return np.exp(np.interp(1 / np.clip(df, 1, 100), inverse, log))


PROCEDURES: dict[str, Callable[[np.ndarray], Found]] = {
    "shrunk Welch (lrlab)": shrunk_welch,
    "paired t, Bonferroni": paired_t,
    "Games-Howell": games_howell,
    "pooled MCB": pooled,
}


class Rates(NamedTuple):
    """How often a procedure was right over the draws of a cell, and what it could tell."""

    best_in: float
    coverage: float
    false_winner: float
    excluded: float


def judged(found: Found, means: np.ndarray) -> Rates:
    """Return the rates of a procedure's answers for experiments with these true means."""
    deficit = means.max() - means
    truly_best = deficit == 0
    inside = (found.low <= deficit + 1e-12) & (found.high >= deficit - 1e-12)
    alone = found.best.sum(-1) == 1
    wrong = alone & (found.best & (~truly_best if truly_best.sum() == 1 else True)).any(-1)
    return Rates(
        best_in=float((found.best | ~truly_best).all(-1).mean()
                      if truly_best.sum() == 1 else found.best[:, truly_best].any(-1).mean()),
        coverage=float(inside.all(-1).mean()),
        false_winner=float(wrong.mean()),
        excluded=float((~found.best)[:, ~truly_best].mean()) if not truly_best.all() else 0.0,
    )  # fmt: skip


def staircase(cell: Cell) -> np.ndarray:
    """Return means that fall by half a standard deviation from each experiment to the next."""
    return -STEP * np.arange(cell.k)


class Ended(NamedTuple):
    """How looks ended over many draws: shares of draws, and of runs that were not needed."""

    lost: float
    alone: float
    saved: float


def until_sure(draws: Iterable[Mapping[str, np.ndarray]], best: Collection[str]) -> Ended:
    """Return how `compare --until-sure` ends, by the function that decides there.

    Args:
        draws: The scores of each experiment, by seed.
        best: The truly best experiments; they are lost where none of them is left.
    """
    lost = alone = used = most = count = 0
    for scores in draws:
        have: dict[str, Sequence[float]] = {name: [] for name in scores}
        while (now := looks.stand(have, AT, mode="max")).wanted is not None:
            for name in now.undecided:
                have[name] = list(scores[name][: now.wanted])
        lost += not set(now.undecided) & set(best)
        alone += now.ended is looks.End.ONE_LEFT
        used += sum(map(len, have.values()))
        most += len(scores) * AT[-1]
        count += 1
    return Ended(lost / count, alone / count, 1 - used / most)


def simulated(cell: Cell, means: np.ndarray, count: int, seed: int) -> Ended:
    """Return how looks end for drawn scores with these true means."""
    names = [f"e{i}" for i in range(cell.k)]
    scores = draw(cell, means, count, seed)
    best = [name for name, mean in zip(names, means, strict=True) if mean == means.max()]
    return until_sure((dict(zip(names, each, strict=True)) for each in scores), best)


def saved_by_oracle(cell: Cell, means: np.ndarray, count: int, seed: int) -> float:
    """Return the share of the runs that looks save which know the standard deviations.

    They compare all pairs with the quantile of the normal distribution at the level of a look. For
    normal errors it bounds what can be saved at that level by a procedure that has to estimate.
    """
    variances = sigmas(cell) ** 2
    spread = np.sqrt(variances[:, None] + variances[None, :])
    c = stats.norm.ppf(1 - ALPHA / len(AT) / (2 * (cell.k - 1)))
    scores, used = draw(cell, means, count, seed), 0
    left = np.ones(scores.shape[:2], bool)
    for before, seeds in itertools.pairwise((0, *AT)):
        going = left & (left.sum(axis=1, keepdims=True) > 1)
        used += int(going.sum()) * (seeds - before)
        reached = scores[..., :seeds].mean(axis=-1)
        ahead = reached[:, :, None] - reached[:, None, :] > c * spread / np.sqrt(seeds)
        left &= ~(ahead & left[:, :, None]).any(axis=1) | ~going
    return 1 - used / scores.size


def look_table(count: int) -> str:
    """Return how looks end under ties and staircases, by the spread and the kind of errors."""
    lines = [
        "| experiments | sigma ratio | errors | means | best lost | one left | runs saved "
        "| saved if sigma were known |",
        "|---:|---:|---|---|---:|---:|---:|---:|",
    ]
    for k, ratio, errors in itertools.product((2, 6, 12), (1.0, 4.0), ("normal", "skewed")):
        cell = Cell(k, AT[-1], ratio, 0.0, errors)
        for title, means in (("ties", np.zeros(k)), ("staircase", -2 * STEP * np.arange(k))):
            ended = simulated(cell, means, count, k)
            known = saved_by_oracle(cell, means, count, k)
            lost = "-" if title == "ties" else f"{ended.lost:.3f}"
            lines.append(
                f"| {k} | {ratio:g} | {errors} | {title} | {lost} | {ended.alone:.3f} "
                f"| {100 * ended.saved:.0f} % | {100 * known:.0f} % |"
            )
    return "\n".join(lines) + "\n"


def same_schedule(scores: Sequence[float], count: int) -> str:
    """Return how often one of six names for a schedule wins, over resamplings of its runs."""
    rng = np.random.default_rng(6)
    pool, names = np.array(scores), [f"name {i}" for i in range(6)]

    def resampled(n: int) -> Iterator[dict[str, np.ndarray]]:
        for _ in range(count):
            picked = rng.choice(pool, (len(names), n), replace=False)
            yield dict(zip(names, picked, strict=True))

    lines = [
        "| seeds | single winner | some interval wrong | some name called worse | runs saved |",
        "|---|---:|---:|---:|---:|",
    ]
    for n in (3, 5, 10):
        verdicts = [best_set(each) for each in resampled(n)]
        alone = np.mean([len(verdict.best_set) == 1 for verdict in verdicts])
        wrong = np.mean([any(low > 0 for low, _ in v.behind.values()) for v in verdicts])
        worse = np.mean([len(verdict.best_set) < len(names) for verdict in verdicts])
        lines.append(f"| {n} | {alone:.3f} | {wrong:.3f} | {worse:.3f} | - |")
    ended = until_sure(resampled(AT[-1]), names)
    lines.append(f"| until sure | {ended.alone:.3f} | - | - | {100 * ended.saved:.0f} % |")
    return "\n".join(lines) + "\n"


def six_configs(scores: Mapping[str, Sequence[float]], count: int) -> str:
    """Return what looks do to the six configs, as recorded and over random orders of the seeds."""
    rng = np.random.default_rng(24)
    values = {name: np.array(of) for name, of in scores.items()}
    best = max(values, key=lambda name: float(values[name].mean()))
    orders = [rng.permutation(AT[-1]) for _ in range(count)]
    ended = until_sure(({n: of[order] for n, of in values.items()} for order in orders), [best])
    recorded = looks.stand({name: list(of) for name, of in values.items()}, AT, mode="max")
    stops = "; ".join(
        f"after {look.seeds} seeds {', '.join(look.stopped) or 'nobody'}" for look in recorded.looks
    )
    used = until_sure([values], [best])
    return (
        f"By all {AT[-1]} seeds {best} has the best mean. In the order of the seeds these stop: "
        f"{stops}. Left are {' and '.join(recorded.undecided)}, and {100 * used.saved:.0f} % of "
        f"the runs are saved. Over {count:,} random orders {best} is lost in "
        f"{100 * ended.lost:.1f} % and {100 * ended.saved:.0f} % of the runs are saved.\n"
    )


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the draws")
    quick = parser.parse_args().quick
    count, looked = (300, 100) if quick else (4_000, 1_000)
    runs = json.loads(RUNS.read_text())
    print(f"# How far the verdict can be trusted\n\nMade by `python benchmarks/verdicts.py`: "
          f"{count:,} draws per cell, alpha {ALPHA:g}.\n")  # fmt: skip
    rows: dict[tuple[str, str], list[tuple[Cell, Rates]]] = {}
    for seed, cell in enumerate(grid()):
        for kind, means in (("ties", np.zeros(cell.k)), ("staircases", staircase(cell))):
            scores = draw(cell, means, count, seed)
            for name, procedure in PROCEDURES.items():
                rows.setdefault((kind, name), []).append((cell, judged(procedure(scores), means)))
    for kind in ("ties", "staircases"):
        print(f"## {kind.capitalize()}\n\n{table(kind, rows)}")
    print(f"## Looks at {', '.join(map(str, AT))} seeds, a quarter of alpha each\n\n"
          f"{looked:,} draws per row, decided by the function that `compare --until-sure` uses. In "
          f"a staircase each is {2 * STEP:g} standard deviation behind the one before. The last\n"
          "column is a bound for normal errors: what is saved at the same levels if nobody has to "
          "estimate a standard deviation. Of two experiments so\nclose to each other nothing can "
          "save much: it takes more than 12 seeds to tell them apart.\n\n"
          f"{look_table(looked)}")  # fmt: skip
    print(f"## One schedule under six names\n\n{len(runs['same schedule'])} runs of "
          f"{runs['of']} (`benchmarks/same_schedule.py`), {looked:,} resamplings.\n\n"
          f"{same_schedule(runs['same schedule'], looked)}")  # fmt: skip
    print(f"## The six configs\n\n24 seeds each on Fashion-MNIST.\n\n"
          f"{six_configs(runs['six configs'], looked)}", end="")  # fmt: skip


def table(kind: str, rows: dict[tuple[str, str], list[tuple[Cell, Rates]]]) -> str:
    """Return a procedure's worst cell and mean over the cells, by the kind of errors."""
    lines = [
        "| procedure | errors | best in set, worst | coverage, worst | false single winner, worst "
        "| excluded, mean |",
        "|---|---|---:|---:|---:|---:|",
    ]
    for name in PROCEDURES:
        for errors in ERRORS:
            of_kind = [found for cell, found in rows[kind, name] if cell.errors == errors]
            power = f"{np.mean([f.excluded for f in of_kind]):.2f}" if kind != "ties" else "-"
            lines.append(
                f"| {name} | {errors} | {min(f.best_in for f in of_kind):.3f} "
                f"| {min(f.coverage for f in of_kind):.3f} "
                f"| {max(f.false_winner for f in of_kind):.3f} | {power} |"
            )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
