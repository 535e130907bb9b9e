"""Open-loop learning-rate schedules: pure, vectorised, float64 functions of the step.

Each formula takes the step first (any shape, counted from 0) and returns the rates in the same
shape; past its end the last value holds. Ranges are checked where configs are read.
"""

from lrlab.schedules.annealing import (
    cosine,
    linear,
    linear_to_zero,
    polynomial,
    ramp,
    rex,
    tanh,
    wsd,
)
from lrlab.schedules.catalogue import CLOSED_LOOPS, FORMULAS
from lrlab.schedules.composition import Schedule, curve, momenta, rates
from lrlab.schedules.cycles import cosine_restarts, cyclic
from lrlab.schedules.decays import exponential, inverse_sqrt, power
from lrlab.schedules.expressions import formula
from lrlab.schedules.onecycle import one_cycle, one_cycle_momentum
from lrlab.schedules.steps import Rates
from lrlab.schedules.stepwise import constant, multistep, piecewise, step

__all__ = [
    "CLOSED_LOOPS",
    "FORMULAS",
    "Rates",
    "Schedule",
    "constant",
    "cosine",
    "cosine_restarts",
    "curve",
    "cyclic",
    "exponential",
    "formula",
    "inverse_sqrt",
    "linear",
    "linear_to_zero",
    "momenta",
    "multistep",
    "one_cycle",
    "one_cycle_momentum",
    "piecewise",
    "polynomial",
    "power",
    "ramp",
    "rates",
    "rex",
    "step",
    "tanh",
    "wsd",
]
