"""The comparison: runs of several experiments, summarised over seeds, and `comparison.json`.

Every number comes from run files; nothing here trains or draws.
"""

from lrlab.results.comparison.record import FILE, SCHEMA, read, to_json
from lrlab.results.comparison.summary import (
    ENVIRONMENT,
    Comparison,
    ExperimentSummary,
    Summary,
    compare,
    environments,
    summarise,
)

__all__ = [
    "ENVIRONMENT",
    "FILE",
    "SCHEMA",
    "Comparison",
    "ExperimentSummary",
    "Summary",
    "compare",
    "environments",
    "read",
    "summarise",
    "to_json",
]
