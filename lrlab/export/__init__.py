"""Schedules as snippets of code that give the same rates without lrlab."""

from lrlab.export import command
from lrlab.export.snippets import snippet

__all__ = ["command", "snippet"]
