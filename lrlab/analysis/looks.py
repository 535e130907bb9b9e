"""Looks at growing numbers of seeds: which experiments stop, and when the question is closed.

The looks are planned before, L of them. Each compares the experiments that are left by the
procedure of `best_set` at alpha / L, so that with probability 1 - alpha all of them are right at
once, however many are needed (Bonferroni). Who is not in the best set of a look stops there.

Everything is a function of the recorded scores: resuming is replaying.
"""

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lrlab.analysis.best_set import FEWEST, PairErrors, Verdict, judged
from lrlab.metric import Mode

ALPHA = 0.05
USUAL_MOST = 24

Scores = Mapping[str, Sequence[float]]


class End(enum.StrEnum):
    """Why there is no further look."""

    ONE_LEFT = "one is left"
    EQUAL = "all that are left are equal within the tolerance"
    MAXIMUM = "the most seeds are reached"
    NONE_LEFT = "no run finished"


@dataclass(frozen=True)
class Look:
    """One look: after how many seeds, at which experiments, and which of them stopped there."""

    seeds: int
    compared: tuple[str, ...]
    stopped: tuple[str, ...]


@dataclass(frozen=True)
class Standing:
    """Where the looks stand.

    Attributes:
        looks: The looks that were made.
        undecided: The experiments that are left.
        wanted: How many seeds each of these needs for the next look, None where it has ended.
        ended: Why it has ended, None where it has not.
        verdict: What can be said now. Who has stopped is judged by the look at which it stopped.
    """

    looks: tuple[Look, ...]
    undecided: tuple[str, ...]
    wanted: int | None
    ended: End | None
    verdict: Verdict


def planned(most: int = USUAL_MOST) -> tuple[int, ...]:
    """Return after how many seeds to look: 3, then twice as many each time, up to the most.

    Example:
        >>> planned(), planned(10)
        ((3, 6, 12, 24), (3, 6, 10))

    Args:
        most: The most seeds of an experiment, >= 3.
    """
    looks = [FEWEST]
    while looks[-1] < most:
        looks.append(min(2 * looks[-1], most))
    return tuple(looks)


def stand(
    scores: Scores,
    at: Sequence[int],
    *,
    mode: Mode,
    alpha: float = ALPHA,
    within: float | None = None,
    least_variance: float = 0.0,
    examples: PairErrors | None = None,
) -> Standing:
    """Return where the looks stand, from all scores that are recorded.

    An experiment without a finished run stops; one with fewer than three is not judged and goes on.
    An experiment with too few scores for a look that others have is judged by its last one.

    Args:
        scores: The scores of each experiment, those of its seeds 0, 1, ...; NaN where a run did not
            finish.
        at: After how many seeds the looks are, as `planned` gives them.
        mode: Whether high scores are good or low ones.
        alpha: The probability with which any of it may be wrong.
        within: Differences up to that, in the unit of the scores, do not matter; None: all do.
        least_variance: As in `judged`.
        examples: As in `judged`; they change what the verdict says, not who stops.
    """
    left, looks, said = tuple(scores), [], []
    wanted, ended = None, None
    for seeds in at:
        ready = [name for name in left if len(scores[name]) >= seeds]
        if len(ready) < len(left) and wanted is None:
            wanted = seeds
        if len(ready) < 2:
            break
        parts = {name: scores[name][:seeds] for name in ready}
        count = {name: sum(map(math.isfinite, part)) for name, part in parts.items()}
        enough = {name: part for name, part in parts.items() if count[name] >= FEWEST}
        found = judged(enough, alpha=alpha / len(at), mode=mode, least_variance=least_variance)
        out = [n for n in ready if not count[n] or (n in enough and n not in found.best_set)]
        looks.append(Look(seeds, tuple(ready), tuple(out)))
        said.append(found if examples is None else judged(
            enough, alpha=alpha / len(at), mode=mode, least_variance=least_variance,
            examples=examples))  # fmt: skip
        left = tuple(name for name in left if name not in out)
        if wanted is None:
            ended = _end(found, left, within, last=seeds == at[-1])
        if ended is not None:
            break
    return Standing(
        tuple(looks), left, None if ended else wanted, ended, _joined(scores, said, alpha, mode)
    )


def _end(found: Verdict, left: Sequence[str], within: float | None, *, last: bool) -> End | None:
    """Return whether a look is the last one, and why."""
    if not left:
        return End.NONE_LEFT
    if len(left) == 1:
        return End.ONE_LEFT
    judged_all = all(name in found.behind for name in left)
    if within is not None and judged_all and all(found.behind[n][1] <= within for n in left):
        return End.EQUAL
    return End.MAXIMUM if last else None


def _joined(scores: Scores, said: Sequence[Verdict], alpha: float, mode: Mode) -> Verdict:
    """Return one verdict: of each experiment what the last look said that it took part in."""
    last = {name: verdict for verdict in said for name in verdict.behind}
    there = {name: [v for v in values if math.isfinite(v)] for name, values in scores.items()}
    means = {name: sum(of) / len(of) if of else None for name, of in there.items()}
    sign = 1.0 if mode == "max" else -1.0
    best = [name for name, verdict in last.items() if name in verdict.best_set]
    return Verdict(
        best_set=tuple(sorted(best, key=lambda name: -sign * (means[name] or 0.0))),
        behind={name: verdict.behind[name] for name, verdict in last.items()},
        half_width={name: verdict.half_width[name] for name, verdict in last.items()},
        finished={name: (len(there[name]), len(scores[name])) for name in scores},
        means=means,
        alpha=alpha,
        mode=mode,
    )
