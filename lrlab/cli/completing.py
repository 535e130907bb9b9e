"""What a shell may put behind the words of a command, on the Tab key.

Whatever goes wrong here, the shell completes nothing: nobody asked for an error.
"""

import os
import re
from collections.abc import Callable, Iterable, Sequence

Complete = Callable[[str], list[str]]
"""Returns what can stand in place of the beginning of a word."""

_CONFIGS = (".yaml", ".yml")
_UNQUOTED = re.compile(r"[\w./~+,@%-]+")
"""Names that no shell reads as anything else; it completes others itself."""


def _files(incomplete: str, suffixes: Sequence[str]) -> list[str]:
    """Return files and folders; of a folder that is the only one, what lies in it."""
    folder, start = os.path.split(incomplete)
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            found = [
                os.path.join(folder, entry.name) + ("/" if entry.is_dir() else "")
                for entry in entries
                if entry.name.startswith(start)
                and not (entry.name.startswith(".") and not start)
                and (entry.is_dir() or entry.name.endswith(tuple(suffixes)))
            ]
    except OSError:
        return []
    found = sorted(filter(_UNQUOTED.fullmatch, found))
    if len(found) == 1 and found[0].endswith("/"):
        return _files(found[0], suffixes) or found
    return found


def _names(incomplete: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]


def configs(incomplete: str) -> list[str]:
    """Return config files."""
    return _files(incomplete, _CONFIGS)


def code(incomplete: str) -> list[str]:
    """Return files of code."""
    return _files(incomplete, (".py",))


def models(incomplete: str) -> list[str]:
    """Return reference models, and files that may hold others."""
    from lrlab.tasks.models import NAMES

    return _names(incomplete, NAMES) + _files(incomplete, (".py", ".keras"))


def data(incomplete: str) -> list[str]:
    """Return data sets, and files that may hold others."""
    from lrlab.tasks.wanted import BUILT_IN, EMBEDDED, FILES

    return _names(incomplete, (*BUILT_IN, *EMBEDDED)) + _files(incomplete, (*FILES, ".py"))


def schedules(incomplete: str) -> list[str]:
    """Return lrlab's names of schedules."""
    from lrlab.schedules import SCHEDULES

    return _names(incomplete, SCHEDULES)


def metrics(incomplete: str) -> list[str]:
    """Return results that can decide, of runs judged by any of the usual metrics."""
    from lrlab.metric import ACCURACY
    from lrlab.results.run import quantities
    from lrlab.tasks.task import BINARY_ACCURACY, MAE

    judged = (ACCURACY, MAE, BINARY_ACCURACY)
    return _names(incomplete, dict.fromkeys(key for one in judged for key in quantities(one)))


def export_formats(incomplete: str) -> list[str]:
    """Return what a schedule, or results, can be exported to."""
    from lrlab.cli.export import CODE, RESULTS

    return _names(incomplete, (*CODE, *RESULTS))


def figure_formats(incomplete: str) -> list[str]:
    """Return the formats of figures."""
    from lrlab.plots.canvas import FORMATS

    return _names(incomplete, FORMATS)
