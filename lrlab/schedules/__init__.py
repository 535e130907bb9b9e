"""Learning-rate schedules, one in each file: formula, parameters, warnings, what the guide says.

Everything else about a schedule (configs, listings, documents, exported code) derives from there.
"""

from lrlab.schedules.closed_loop import ClosedLoop
from lrlab.schedules.length import Length
from lrlab.schedules.pieces import Rates
from lrlab.schedules.registry import SCHEDULES, AnySchedule
from lrlab.schedules.schedule import OpenLoop, Schedule, curve, momenta, rates

__all__ = [
    "SCHEDULES",
    "AnySchedule",
    "ClosedLoop",
    "Length",
    "OpenLoop",
    "Rates",
    "Schedule",
    "curve",
    "momenta",
    "rates",
]
