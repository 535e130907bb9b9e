"""Whether `fit` runs as many steps per epoch as a callback was told."""

from typing import Any

from lrlab.errors import UsageError


def check_steps(callback: Any, steps_per_epoch: int, found: int | None) -> None:
    """Make sure of it; a number that is not known yet is nothing to complain of.

    Args:
        callback: The callback, to be named.
        steps_per_epoch: What it was told.
        found: Batches of an epoch, None where the data do not say.

    Raises:
        UsageError: If they differ.
    """
    if found is not None and found != steps_per_epoch:
        name = type(callback).__name__
        raise UsageError(
            f"`fit` runs {found} steps per epoch, and `{name}` was made for {steps_per_epoch}",
            f"make it with `steps_per_epoch={found}`, the number of batches of an epoch",
        )


def steps_of_fit(callback: Any) -> int | None:
    """Return the steps per epoch that `fit` announces, None where it does not know them yet."""
    found = (callback.params or {}).get("steps")
    return None if found is None else int(found)
