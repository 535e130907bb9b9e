"""All results as one tidy table: a row for every epoch of every run, as CSV."""

import csv
import io

from lrlab.config import grid
from lrlab.export.finished import Finished
from lrlab.io.printable import no_formula, printable


def to_csv(finished: Finished) -> str:
    """Return the table; epochs and steps count from 0, `step` is that of the epoch's last step."""
    keys = finished.comparison.gridded
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["experiment", "schedule", *(["config", *keys] if keys else []), "seed", "status", "epoch",
         "step", "lr", *finished.quantities]
    )  # fmt: skip
    for e in finished.comparison.experiments:
        point = [e.point.config, *map(grid.label, e.point.at.values())] if e.point else []
        names = [no_formula(printable(name)) for name in (e.name, e.schedule, *point)]
        for seed, _, result in finished.of(e):
            for at in result.epochs:
                step = (at.epoch + 1) * e.steps_per_epoch - 1
                values = finished.values(at).values()
                writer.writerow([*names, seed, result.status, at.epoch, step, at.lr, *values])
    return text.getvalue()
