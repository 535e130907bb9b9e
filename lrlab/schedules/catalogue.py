"""The registry: every open-loop formula under the `type` that a config names it by."""

from collections.abc import Callable

from lrlab.schedules.annealing import cosine, linear, linear_to_zero, polynomial, rex, tanh, wsd
from lrlab.schedules.cycles import cosine_restarts, cyclic
from lrlab.schedules.decays import exponential, inverse_sqrt, power
from lrlab.schedules.expressions import formula
from lrlab.schedules.onecycle import one_cycle
from lrlab.schedules.steps import Rates
from lrlab.schedules.stepwise import constant, multistep, piecewise, step

FORMULAS: dict[str, Callable[..., Rates]] = {
    "constant": constant,
    "power": power,
    "exponential": exponential,
    "piecewise": piecewise,
    "one_cycle": one_cycle,
    "linear": linear,
    "linear_to_zero": linear_to_zero,
    "polynomial": polynomial,
    "cosine": cosine,
    "cosine_restarts": cosine_restarts,
    "cyclic": cyclic,
    "step": step,
    "multistep": multistep,
    "inverse_sqrt": inverse_sqrt,
    "wsd": wsd,
    "rex": rex,
    "tanh": tanh,
    "formula": formula,
}

CLOSED_LOOPS = ("performance", "greedy")
"""Schedules whose rates depend on the training; see `lrlab.schedules.closed_loop`."""
