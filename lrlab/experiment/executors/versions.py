"""Versions that have to be the same on all machines; nothing heavy is imported to tell them."""

import importlib.metadata
import platform

PACKAGES = ("lrlab", "tensorflow", "keras", "numpy")


def installed() -> dict[str, str]:
    """Return the versions of Python and of what computes a result; `none` where there is none."""
    return {"python": platform.python_version()} | {name: _version(name) for name in PACKAGES}


def unlike(ours: dict[str, str], theirs: dict[str, str]) -> str:
    """Return in words in what two machines differ, nothing if they are alike.

    Example:
        >>> unlike({"python": "3.12.1", "keras": "3.15.0"}, {"python": "3.12.1", "keras": "3.16.1"})
        'keras 3.16.1 instead of 3.15.0'
    """
    return ", ".join(
        f"{name} {theirs.get(name, 'none')} instead of {version}"
        for name, version in ours.items()
        if theirs.get(name, "none") != version
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "none"
