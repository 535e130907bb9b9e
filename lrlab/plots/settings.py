"""The settings figures are drawn with: lrlab's own, whatever matplotlibrc or environment say."""

import atexit
import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Type 42 (TrueType) fonts can be edited, and journals take them where they refuse Type 3. The text
# of an svg is paths: it looks the same where DejaVu Sans is not installed.
_OWN = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "lrlab"}

FULL_POINTS = 10.0
"""Size of the letters in a figure of the usual width."""


def load_matplotlib() -> None:
    """Import matplotlib as it comes, for a command: no file and no variable of the user's counts.

    It reads `matplotlibrc` when it is imported, that of the working directory first, and a hostile
    one takes all memory at that moment. So this comes before there are threads, since Keras imports
    matplotlib as well, and never in a program that uses lrlab as a library.
    """
    if "matplotlib" in sys.modules:
        return
    _give_it_a_folder()
    found = importlib.util.find_spec("matplotlib")
    assert found is not None
    assert found.origin is not None
    backend = os.environ.pop("MPLBACKEND", None)
    try:
        # There lies the matplotlibrc of the defaults.
        with _in_folder(Path(found.origin).parent / "mpl-data"):
            import matplotlib  # noqa: F401
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend


def _give_it_a_folder() -> None:
    """Let matplotlib keep its list of fonts somewhere though there is no home, until the end."""
    try:
        Path.home()
    except RuntimeError:
        if "MPLCONFIGDIR" not in os.environ:
            with contextlib.suppress(OSError):  # Matplotlib says it in words.
                folder = tempfile.mkdtemp(prefix="lrlab-matplotlib-")
                os.environ["MPLCONFIGDIR"] = folder
                atexit.register(shutil.rmtree, folder, ignore_errors=True)


@contextlib.contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """Work in another folder, and go back: to the same one, even if it has no path any more."""
    # Linux opens a folder so without the right to read it.
    here = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir(folder)
        yield
    finally:
        os.fchdir(here)
        os.close(here)


@contextlib.contextmanager
def own_settings(points: float = FULL_POINTS) -> Iterator[None]:
    """Draw and save with lrlab's settings; afterwards matplotlib's are as before.

    Args:
        points: Size of the letters.
    """
    import matplotlib

    own: dict[Any, Any] = {**matplotlib.rcParamsDefault, **_OWN, "font.size": points}
    for key in ("backend", "backend_fallback"):
        own.pop(key, None)
    with matplotlib.rc_context(own):
        yield
