"""The configs that `lrlab init` writes: two schedules on one task, with comments."""

import json
import os
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lrlab.errors import UsageError
from lrlab.io import reading
from lrlab.schedules import SCHEDULES
from lrlab.tasks import models
from lrlab.tasks.code_reading import OFFERED, Functions, functions
from lrlab.tasks.optimizers import KINDS

MOST_MODELS = 20
"""Functions of a file that get configs."""


@dataclass(frozen=True)
class Starter:
    """Configs to begin with.

    Args:
        texts: The text of each, by the name of its file.
        code: The file of code that they name, None if there is none.
    """

    texts: dict[str, str]
    code: Path | None = None


def starter(folder: Path, code: Path | None = None) -> Starter:
    """Return configs to begin with; nothing is written, and no code is run.

    Args:
        folder: Where they will lie.
        code: A file with functions that make models; None: a reference model is trained.

    Raises:
        UsageError: If no function in the file can be used.
    """
    if code is None:
        return Starter(_pair(folder, "", "mlp", _DATA))
    found = functions(code)
    if not found.models:
        raise _no_model(code, found)
    if len(found.models) > MOST_MODELS:
        raise UsageError(
            f"`{code}` has {len(found.models)} functions that make models, and at most "
            f"{MOST_MODELS} get configs",
            "write a config for those that you mean",
        )
    place = Path(os.path.relpath(code, folder)).as_posix()
    data = _OWN_DATA if found.loaders else _NO_DATA
    data = data.format(load=_scalar(f"{place}:{(*found.loaders, 'load')[0]}"))
    texts: dict[str, str] = {}
    for name in found.models:
        prefix = f"{name}-" if len(found.models) > 1 else ""
        texts |= _pair(folder, prefix, _scalar(f"{place}:{name}"), data, code)
    return Starter(texts, code)


def _no_model(code: Path, found: Functions) -> UsageError:
    hint = "one is `def build(input_shape, outputs):`, which returns a Keras model"
    if not found.unmet:
        return UsageError(f"`{code}` has no function that returns a Keras model", hint)
    name, missing = next(iter(found.unmet.items()))
    needs = ", ".join(f"`{each}`" for each in missing)
    return UsageError(
        f"`{name}` in `{code}` needs {needs}, which lrlab does not give",
        f"give it a default; lrlab offers {', '.join(f'`{each}`' for each in OFFERED)}",
    )


def command(folder: Path, names: Iterable[str], code: Path | None) -> str:
    """Return the command that trains configs, as it is typed."""
    trust = ["--trust", str(code)] if code else []
    return shlex.join(["lrlab", "compare", *(str(folder / name) for name in names), *trust])


def _scalar(text: str) -> str:
    """Return a text as YAML takes it, quoted where it has to be."""
    return text if re.fullmatch(r"[\w./:+-]+", text) else json.dumps(text, ensure_ascii=False)


def _pair(
    folder: Path, prefix: str, model: str, data: str, code: Path | None = None
) -> dict[str, str]:
    """Return the two configs of a model."""
    first, second = f"{prefix}one_cycle.yaml", f"{prefix}constant.yaml"
    task = (_TASK if code is None else _OWN_TASK).format(
        model=model,
        data=data,
        models=", ".join(models.NAMES),
        optimizers=", ".join(kind.named() for kind in KINDS[1:]),
    )
    head = _HEAD.format(command=command(folder, (first, second), code))
    peak = _ONE_CYCLE.format(schedules=len(SCHEDULES))
    return {
        first: f"{head}\n{peak}\n{task}",
        second: _CONSTANT.format(first=first) + "\n" + _bare(task),
    }


def _bare(text: str) -> str:
    """Return the lines of a text that are not comments or empty."""
    lines = [line.partition("  #")[0].rstrip() for line in text.splitlines()]
    return "\n".join(line for line in lines if line and not line.startswith("#")) + "\n"


def taken(folder: Path, texts: dict[str, str]) -> list[str]:
    """Return which of the files are there already."""
    return [name for name in texts if reading.exists(folder / name)]


_HEAD = """\
# An experiment: what is trained, and how its learning rate moves. One file per experiment.
#
#   {command}
#
# trains both with three seeds and says which may be the better one. Lines that begin with `#` and
# a key are options: take the `#` away to use them. `lrlab schema` is for editors.
"""

_ONE_CYCLE = """\
# Up to the peak, back down, far below; `lrlab schedules` shows all {schedules} of them.
schedule:
  type: one_cycle
  # Found by a sweep and verified by short real runs; or a number, as 0.02.
  max_lr: auto
  # warmup: {{for: 5%, from: 0.001}}
"""

_CONSTANT = """\
# The schedule to beat. All else is as in {first}.
schedule:
  type: constant
  lr: auto
"""

_DATA = """\
# `auto` is Fashion-MNIST if it is there or can be downloaded, and otherwise `sketches`, which lrlab
# draws itself. Your own: FILE.csv, FILE.npz, keras:cifar10, or FILE.py:FUNCTION.
data: auto
# validation: 10%"""

_OWN_DATA = """\
data: {load}
# What is held out to judge by.
# validation: 10%"""

_NO_DATA = """\
# Put your own here: FILE.csv, FILE.npz, keras:cifar10, or {load}.
data: auto
# validation: 10%"""

_TASK = """\
# One of {models}; or FILE.py:FUNCTION, or FILE.keras.
model: {model}

{data}

# Or {optimizers}.
optimizer: {{type: sgd, momentum: 0.9}}
batch_size: 32
epochs: 10

# By default the targets tell loss and metric.
# loss: sparse_categorical_crossentropy
# metric: accuracy
"""

_OWN_TASK = """\
# This code runs only if the command line names its file, too: `--trust`.
model: {model}

{data}

# By default the optimizer, loss and metric that the model is compiled with; of one that is not, SGD
# with momentum 0.9, and what the targets ask for.
# optimizer: {{type: adam}}
# loss: sparse_categorical_crossentropy
# metric: accuracy
batch_size: 32
epochs: 10
"""
