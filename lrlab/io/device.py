"""`--device`: processor or GPU. TensorFlow reads it when it is imported, for the whole process."""

import os
from typing import Literal, get_args

from lrlab.errors import UsageError

Device = Literal["auto", "cpu", "gpu"]

_HIDES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES")
_ON_GPU = {"TF_DETERMINISTIC_OPS": "1", "NVIDIA_TF32_OVERRIDE": "0"}

_wanted: Device = "auto"


def choose(name: str) -> None:
    """Choose what TensorFlow will train on; only before it is imported.

    On a processor nothing changes by it: `auto` sets what concerns GPUs alone, `cpu` hides them.
    With `gpu`, operations are deterministic and matrix products have all their bits, as far as the
    GPU's own kernels allow.

    Args:
        name: `auto` for a GPU where TensorFlow finds one, `cpu` for none, `gpu` for no processor.

    Raises:
        UsageError: If it is none of these.
    """
    global _wanted
    if name not in get_args(Device):
        raise UsageError(f"`--device` must be auto, cpu or gpu, got `{name}`")
    _wanted = name  # type: ignore[assignment]
    # Otherwise the first process takes all memory of a GPU.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    if name == "cpu":
        hide()
    if name == "gpu":
        for variable, value in _ON_GPU.items():
            os.environ.setdefault(variable, value)


def hide() -> None:
    """Hide all GPUs from TensorFlow."""
    for variable in _HIDES:
        os.environ[variable] = "-1"


def check(found: str) -> None:
    """Make sure that there is a GPU where one is wanted.

    Args:
        found: The devices that TensorFlow has found, as `run.json` records them.

    Raises:
        UsageError: If there is none.
    """
    if _wanted == "gpu" and found == "CPU":
        raise UsageError(
            "`--device gpu`: TensorFlow sees no GPU here",
            "install `tensorflow[and-cuda]` and a driver, or leave out `--device`",
        )
