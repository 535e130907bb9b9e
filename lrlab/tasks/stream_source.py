"""The source of streams: what is known of them once a pass over each has counted their examples."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lrlab.tasks import labels, parts, stream_set
from lrlab.tasks.data_source import DataSource
from lrlab.tasks.parts import Given, joined
from lrlab.tasks.streamed import Streams
from lrlab.tasks.task import of_targets

Warn = Callable[[str], None]


def resolve_streams(
    name: str, make: Callable[[int], Streams], *, warn: Warn | None = None, place: str = ""
) -> DataSource:
    """Return the source of streams, after a pass over each.

    Args:
        name: What tables and figures call it.
        make: Makes the streams of a run from its seed; a pair is training and validation data.
        warn: Called with each text about what is probably a mistake.
        place: What messages call it.

    Raises:
        DataError: If they cannot be trained on.
    """
    streamed = stream_set.counted(lambda seed: make(seed).with_validation())
    of_train = streamed.passes["train"]
    held = streamed.targets("validation")
    task = of_targets(joined([of_train.targets, held]))
    streamed = replace(streamed, task=task)
    stated: dict[str, Any] = {split: each.digest for split, each in streamed.passes.items()}
    arrays = {split: getattr(streamed, split) for split in ("validation", "test")}
    parts_ = [part for part in arrays.values() if part is not None]
    stated |= {"arrays": [parts.fingerprint(Given(part)) for part in parts_]}
    if warn is not None:
        for text in labels.doubts(of_train.targets, held, task):
            warn(f"{place or f'`{name}`'}: {text}")
    return DataSource(
        name,
        hashlib.sha256(repr(stated).encode()).hexdigest(),
        of_train.examples,
        shape=of_train.row_shapes(),
        task=task,
        streamed=streamed,
    )
