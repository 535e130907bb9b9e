"""A schedule as a function: a rise, a plateau, and a fall to 0 along a square root.

lrlab plot examples/own_schedule/*.yaml --terminal --trust examples/own_schedule/warp.py
lrlab compare examples/own_schedule/*.yaml --trust examples/own_schedule/warp.py
lrlab export examples/own_schedule/warp.yaml --trust examples/own_schedule/warp.py
"""

import numpy as np


def warp(step, steps, peak=0.1, rise=0.1, fall=0.5):
    """Return the rates of all steps at once: `step` is an array, and so is what comes back.

    lrlab gives `steps`, the length of the run, since it is among the parameters.
    """
    done = step / steps
    down = np.sqrt(np.clip((1 - done) / fall, 0, 1))
    return peak * np.minimum((done + 1 / steps) / rise, down)
