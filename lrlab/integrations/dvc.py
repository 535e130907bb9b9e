"""Finished results as DVC reads them: params.yaml, metrics and plots, and a dvc.yaml over them.

Each experiment has a file of metrics: `dvc metrics show` prints a row per file.

Plain files; DVC itself is not needed. Their layout is that of
https://dvc.org/doc/user-guide/project-structure/dvcyaml-files.
"""

import csv
import io
import json
import statistics
from pathlib import Path
from typing import Any

import yaml

from lrlab.export import owned
from lrlab.export.finished import Finished, means
from lrlab.results.comparison import ExperimentSummary
from lrlab.results.run import Status


def export(finished: Finished, target: Path) -> list[Path]:
    """Write the files, in place of those of an earlier export; return them.

    Raises:
        ResultsError: If the folder holds files of others, or cannot be written.
    """
    experiments = finished.comparison.experiments
    plots = {f"plots/{e.name}.csv": _plot(finished, e) for e in experiments}
    metrics = {f"metrics/{e.name}.json": _metrics(e) for e in experiments}
    contents = {
        "params.yaml": _yaml({e.name: {**e.config, "data": e.data} for e in experiments}),
        **metrics,
        **plots,
        "dvc.yaml": _yaml(
            {
                "params": ["params.yaml"],
                "metrics": list(metrics),
                "plots": [
                    {key: {"x": "epoch", "y": dict.fromkeys(plots, key)}}
                    for key in finished.quantities
                ],
            }
        ),
    }
    encoded = {name: text.encode() for name, text in contents.items()}
    return owned.write(target, "dvc", encoded)


def _metrics(e: ExperimentSummary) -> str:
    """Return the final results that are shown, means over the seeds, as JSON."""
    found: dict[str, Any] = {}
    for key, summary in e.final.items():
        if summary.mean is not None:
            found[key] = summary.mean
        if summary.std is not None:
            found[f"{key}_std"] = summary.std
    stated = {**found, "seeds": len(e.seeds), "finished": e.statuses.count(Status.DONE)}
    return json.dumps(stated, indent=1) + "\n"


def _plot(finished: Finished, e: ExperimentSummary) -> str:
    """Return the means over the runs that ended well after each epoch, as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *finished.quantities])
    for epoch, quantities in means(finished, e):
        writer.writerow([epoch, *(statistics.fmean(values) for values in quantities.values())])
    return text.getvalue()


def _yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
