"""The environment a run is made in, as `run.json` records it."""

import importlib.metadata
import os
import platform
from typing import Any

from lrlab.tasks import onednn

VARIABLES = (
    "TF_DETERMINISTIC_OPS",
    "TF_CUDNN_DETERMINISTIC",
    "TF_XLA_FLAGS",
    "XLA_FLAGS",
    "DNNL_MAX_CPU_ISA",
    "ONEDNN_MAX_CPU_ISA",
    "ONEDNN_DEFAULT_FPMATH_MODE",
    "NVIDIA_TF32_OVERRIDE",
    "TF_ENABLE_GRAPPLER",
)
"""Environment variables that change the last digits of what TensorFlow computes."""

_INSTRUCTIONS = ("avx", "fma", "f16c", "amx", "asimd", "sve", "bf16")


def record() -> dict[str, Any]:
    """Return versions, processor and threads; nothing in it names the user or the host.

    To be called once TensorFlow is loaded. All of it can change a result in its last digits.
    """
    from lrlab.training.engines.loaded import threads_per_run
    from lrlab.training.engines.machine import device

    packages = ("lrlab", "tensorflow", "keras", "numpy")
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads_per_run": threads_per_run(),
        "onednn": onednn.is_on(),
        "instructions": _instructions(),
        "device": device(),
        "variables": " ".join(f"{v}={os.environ[v]}" for v in VARIABLES if v in os.environ),
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    return _cpuinfo("model name") or platform.processor()


def _instructions() -> str:
    """Return the instruction sets for vectors that the processor offers: kernels go by them."""
    offered = (_cpuinfo("flags") or _cpuinfo("Features") or "").split()
    return " ".join(sorted({each for each in offered if each.startswith(_INSTRUCTIONS)}))


def _cpuinfo(key: str) -> str | None:
    """Return what Linux says of the first processor, None where it says nothing."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith(key):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return None
