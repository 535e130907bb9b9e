"""The environment a run is made in, as `run.json` records it."""

import importlib.metadata
import os
import platform
from typing import Any


def record() -> dict[str, Any]:
    """Return versions, processor and threads; nothing in it names the user or the host.

    To be called once TensorFlow is loaded. All of it can change a result in its last digits.
    """
    from lrlab.training.engines.loaded import threads_per_run

    packages = ("lrlab", "tensorflow", "keras", "numpy")
    return {
        "python": platform.python_version(),
        **{name: _version(name) for name in packages},
        "platform": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "threads_per_run": threads_per_run(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS") != "0",
    }


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor()
