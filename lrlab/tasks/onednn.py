"""oneDNN, which TensorFlow turns on or off for a whole process: chosen by what is trained.

On two cores it makes convolutions two to eight times faster and products of small matrices slower.
It changes the last digits of a result, so that a run it was chosen for says so in its identity.
"""

import ast
import importlib.machinery
import os
import re
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from lrlab.errors import CodeError
from lrlab.tasks import code, code_sources

VARIABLE = "TF_ENABLE_ONEDNN_OPTS"
"""The environment variable by which TensorFlow is told."""

_CONVOLUTIONAL = ("lenet", "cnn_bn", "resnet8")
"""The reference models it is for; `cnn` is older than this choice, and keeps its results."""

_NAMED = re.compile(r"\w*conv\w*[123]d|\w*convolution\w*", re.IGNORECASE)
_PACKAGES = ("keras.applications", "keras_hub", "keras_cv")
_MOST_BYTES = 10_000_000


_chosen: str | None = None


def choose(models: Sequence[str]) -> None:
    """Turn oneDNN on or off for what this process will train, before TensorFlow is imported.

    It is on where all models are convolutional, unless the environment says otherwise. Where
    TensorFlow is imported already, the choice has been made.
    """
    global _chosen
    if "tensorflow" not in sys.modules and os.environ.get(VARIABLE) == _chosen:
        _chosen = "1" if models and all(map(convolves, models)) else "0"
        os.environ[VARIABLE] = _chosen


def is_on() -> bool:
    """Return whether TensorFlow uses oneDNN, as it says itself if it is loaded."""
    if "tensorflow" in sys.modules:
        try:
            from tensorflow.python.util import _pywrap_util_port

            return bool(_pywrap_util_port.IsMklEnabled())
        except (ImportError, AttributeError):  # No public interface tells it.
            pass
    return os.environ.get(VARIABLE, "1").lower() not in ("0", "false")


def convolves(model: str) -> bool:
    """Return whether a model is convolutional, as far as its name or its source tells.

    Code is read and never run: that of a function counts with the local modules that it imports.
    What cannot be read is not convolutional; whoever loads it says why.

    Args:
        model: The name of a reference model, or a reference to code.

    Example:
        >>> convolves("lenet"), convolves("mlp")
        (True, False)
    """
    if not code.is_code(model):
        return model in _CONVOLUTIONAL
    reference = code.parse(model, Path())
    if reference.is_keras_file:
        return _file_convolves(Path(reference.origin))
    path = reference.origin if isinstance(reference.origin, Path) else _found(reference.origin)
    if path is None or not path.is_file():
        return False
    home = path.parent if isinstance(reference.origin, Path) else Path.cwd()
    return any(_source_convolves(each) for each in code_sources.reachable(path, home).values())


def _found(module: str) -> Path | None:
    """Return the file of a module, found without importing its packages."""
    places = [str(Path.cwd()), *sys.path]
    for part in module.split("."):
        spec = importlib.machinery.PathFinder.find_spec(part, places)
        if spec is None or spec.origin is None:
            return None
        places = list(spec.submodule_search_locations or ())
    return Path(spec.origin) if spec is not None and spec.origin else None


def _source_convolves(path: Path) -> bool:
    try:
        tree = ast.parse(code_sources.read(path, path.name))
    except (CodeError, SyntaxError, ValueError, RecursionError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute | ast.alias):
            name = node.name if isinstance(node, ast.alias) else ast.unparse(node)
            if _NAMED.fullmatch(name.rpartition(".")[2]) or name.startswith(_PACKAGES):
                return True
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith(_PACKAGES):
            return True
    return False


def _file_convolves(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive, archive.open("config.json") as file:
            text = file.read(_MOST_BYTES).decode(errors="replace")
    except (OSError, KeyError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False
    return any(map(_NAMED.fullmatch, re.findall(r'"class_name": "(\w+)"', text)))
