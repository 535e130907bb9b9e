"""The shapes of `sketches`: garments as unions of spans.

A span says for every row (of a shoe: for every column) where cloth begins and where it ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from lrlab.tasks.sketches import Chance

Array: TypeAlias = NDArray[np.floating[Any]]  # float32 throughout; wider for NumPy's type stubs
Range: TypeAlias = tuple[float, float]

SIZE = 28
# Axes are (row, column, image): with images last every broadcast runs along contiguous memory,
# which is three times as fast.
ROWS: Array = np.arange(SIZE, dtype=np.float32).reshape(SIZE, 1, 1)
COLUMNS: Array = np.arange(SIZE, dtype=np.float32).reshape(1, SIZE, 1)
HEAD = slice(0, 14)  # the rows in which a neckline, and
MIDDLE = slice(7, 21)  # the columns in which a front can lie
OUTSIDE = -9.0  # a half-width or height that no pixel reaches


@dataclass(frozen=True)
class Cut:
    """The ranges one class of upper-body garment is drawn from; lengths in pixels."""

    chest: Range  # half of the body's width under the arms
    flare: Range  # the hem's width in chests
    waist: Range  # how far the waist is taken in
    length: Range  # from shoulder to hem
    sleeve: Range  # from shoulder to cuff, in rows
    spread: Range  # how far a sleeve stands off, in columns per row
    cuff: Range  # width of a sleeve
    neck: Range  # half of the neckline's width
    depth: Range  # of the neckline
    opening: Range  # contrast of the line down the front
    gape: Range  # how far the front stands open at the hem
    collar: Range  # contrast of the collar
    buttons: float  # share with buttons
    sleeveless: float = 0.0  # share without sleeves
    long: float = 0.0  # share with sleeves of full length whatever `sleeve` says


@dataclass(frozen=True)
class Last:
    """The ranges one class of shoe is drawn from; lengths in pixels."""

    toe: Range  # height of the toe box
    instep: Range  # height halfway along
    collar: Range  # height at the ankle
    shaft: Range  # where along the foot the ankle begins, 0 toe to 1 heel
    heel: Range  # height of the heel
    sole: Range  # thickness of the sole
    contrast: Range  # of the sole against the upper
    open: Range  # how much is cut away between the straps, 0 none to 1 all
    strap: Range  # number of straps along the foot
    lace: Range  # contrast of the laces
    vamp: Range  # where along the foot the upper begins
    back: Range  # where it ends
    rim: Range  # thickness of what the straps hang from


def unit(t: Array) -> Array:
    """Return t cut to the range from 0 to 1."""
    cut: Array = np.clip(t, 0.0, 1.0)
    return cut


def ramp(t: Array, start: Array | float, end: Array | float) -> Array:
    """Return 0 before `start`, 1 after `end` and the straight line between."""
    return unit((t - start) / (end - start))


def tent(t: Array, centre: Array | float, reach: Array | float) -> Array:
    """Return 1 at `centre`, falling to 0 at the distance `reach`."""
    return unit(1.0 - np.abs(t - centre) / reach)


def wave(t: Array) -> Array:
    """Return a triangular wave of period 1 between -1 and 1.

    A sine would be smoother, but its last bit differs between machines.
    """
    height: Array = np.abs((t - np.floor(t)) * 4.0 - 2.0) - 1.0
    return height


def within(t: Array, low: Array | float, high: Array | float) -> Array:
    """Return the distance inside the span from `low` to `high`, negative outside it."""
    distance: Array = np.minimum(high - t, t - low)
    return distance


def axis(draw: Chance) -> Array:
    """Return every pixel's distance from the garment's axis, float32 (28, 28, n)."""
    middle = draw((12.3, 14.7)) + draw((-0.07, 0.07)) * (ROWS - 13.5)
    distance: Array = np.abs(COLUMNS - middle)
    return distance


def top(cut: Cut, draw: Chance) -> tuple[Array, Array]:
    """Draw what is worn on the upper body: body, two sleeves, neckline and front.

    Returns:
        The distance inside the cloth and the factor of its brightness, both float32 (28, 28, n).
    """
    across = axis(draw)
    length = draw(cut.length)
    t = ROWS - (14.0 - length * 0.5 + draw((-0.9, 0.9)))
    neck, chest = draw(cut.neck), draw(cut.chest)
    shoulder = chest - draw((-0.4, 1.0))
    drop = draw((1.2, 3.2))
    yoke = neck + (shoulder - neck) * ramp(t, 0.0, drop)
    body = chest * (1.0 + (draw(cut.flare) - 1.0) * ramp(t, 0.45 * length, length))
    body = body - draw(cut.waist) * tent(t, 0.45 * length, 0.4 * length)
    body = np.where(t < drop, np.minimum(yoke, body), body)
    body = np.where((t > -0.5) & (t < length + 0.5), body, OUTSIDE)
    low, high = sleeves(cut, draw, t, yoke, drop, length)
    inside = np.maximum(body - across, within(across, low, high))

    seam = draw((-0.15, 0.5)) * (t > drop)
    shade = 1.0 - seam * unit(0.9 - np.abs(across - body))
    depth = np.maximum(draw(cut.depth), 0.4)
    shade[HEAD] *= neckline(cut, draw, across[HEAD], t[HEAD], neck, depth)
    shade[:, MIDDLE] *= front(cut, draw, across[:, MIDDLE], t, depth, length)
    return inside, shade


def neckline(cut: Cut, draw: Chance, across: Array, t: Array, neck: Array, depth: Array) -> Array:
    """Return the factor for the opening at the neck, round or in a V, and the collar along it."""
    fall = unit((t + 0.5) / depth)
    vee = draw.chance(0.4)
    hollow = (neck - 0.8) * (vee * (1.0 - fall) + (1.0 - vee) * np.sqrt(1.0 - fall * fall))
    hollow = np.where(fall < 1.0, hollow, OUTSIDE)
    beyond = across - hollow
    throat = unit(0.5 - beyond) * draw((0.3, 1.3))
    collar = unit(draw(cut.collar)) * (draw.chance(0.5) - 0.6)
    return (1.0 - throat) * (1.0 + collar * unit(1.6 - np.abs(beyond - 1.2)))


def sleeves(
    cut: Cut, draw: Chance, t: Array, yoke: Array, drop: Array, length: Array
) -> tuple[Array, Array]:
    """Return the inner and outer edge of the sleeves, as distances from the axis, (28, 1, n)."""
    full = draw.chance(cut.long)
    bare = 1.0 - draw.chance(cut.sleeveless)
    reach = full * draw((16, 25)) + (1.0 - full) * draw(cut.sleeve)
    reach = bare * np.minimum(reach, length + 1.0)
    spread = np.maximum(draw(cut.spread), 0.05) * (1.0 - 0.6 * full)
    cuff = draw(cut.cuff)
    slope = yoke + spread * np.maximum(t - drop, 0.0)
    slope = slope + 0.8 * bare * ramp(t, drop, drop + 2.0)
    # The cuff runs at a right angle to the sleeve, so its slope is the inverse of the sleeve's.
    end = yoke + spread * np.maximum(reach - drop, 0.0) - (t - reach) / spread
    taper = cuff * (1.25 - 0.4 * ramp(t, 0.0, 22.0))
    high = np.where((t > -0.5) & (t < reach + 4.0), np.minimum(slope, end), OUTSIDE)
    return slope - taper, high


def front(cut: Cut, draw: Chance, across: Array, t: Array, depth: Array, length: Array) -> Array:
    """Return the factor for the line down the front and its buttons."""
    opening = unit(draw(cut.opening)) * (t > depth)
    gape = np.maximum(draw(cut.gape), 0.0) * ramp(t, depth, length)
    line = opening * unit(gape + 0.9 - across)
    button = np.maximum(wave(t / draw((2.6, 4.4)) + draw((0, 1))), 0.0) * (t > depth)
    button = button * draw.chance(cut.buttons) * draw((-0.5, 0.9))
    return (1.0 - line) * (1.0 - button * unit(1.2 - across))


def trouser(draw: Chance) -> tuple[Array, Array]:
    """Draw two legs under a waistband."""
    across = axis(draw)
    length = draw((24.0, 27.5))
    t = ROWS - (14.0 - length * 0.5 + draw((-0.7, 0.7)))
    crotch = draw((5.0, 11.0))
    hip = draw((3.6, 6.6))
    legs = ramp(t, crotch, length)
    outer = draw((3.0, 4.8)) + (hip - 3.6) * ramp(t, 0.0, crotch) + draw((-0.6, 2.8)) * legs
    outer = np.where((t > -0.5) & (t < length + 0.5), outer, OUTSIDE)
    inner = np.where(t > crotch, draw((-0.7, 1.0)) + draw((0.0, 2.4)) * legs, OUTSIDE)
    band = draw((-0.3, 0.6)) * tent(t, draw((1.0, 2.5)), 1.3)
    beside = np.abs(across - (outer + inner) * 0.5)
    crease = draw((-0.3, 0.4)) * (t > crotch) * unit(1.0 - beside)
    fly = np.maximum(draw((-0.3, 0.8)), 0.0) * (t < crotch) * unit(0.9 - across)
    return within(across, inner, outer), (1.0 - band) * (1.0 - crease) * (1.0 - fly)


def bag(draw: Chance) -> tuple[Array, Array]:
    """Draw a bag: a trapezium with flap, clasp and handle, round or angular or tucked away."""
    across = axis(draw)
    height, rise = draw((9.0, 19.0)), np.maximum(draw((-3.0, 13.0)), 0.0)
    rise = np.minimum(rise, 26.0 - height)
    t = ROWS - (14.5 - (height - rise) * 0.5 + draw((-0.8, 0.8)))
    half = draw((7.0, 13.5))
    body = half - draw((-1.0, 3.5)) * (1.0 - ramp(t, 0.0, height))
    rounding = draw((0.0, 3.0))
    body = body - rounding * (tent(t, 0.0, 2.5) + tent(t, height, 2.5))
    body = np.where((t > -0.5) & (t < height + 0.5), body, OUTSIDE)

    arch = half * draw((0.3, 0.95))
    lift = unit(-t / np.maximum(rise, 0.5))
    angular = draw.chance(0.35)
    outer = arch * (angular * (1.0 - 0.75 * lift) + (1.0 - angular) * np.sqrt(1.0 - lift * lift))
    outer = np.where((t < 0.5) & (t > -rise), outer, OUTSIDE)
    thick = draw((0.9, 2.0))
    inner = np.where(t > thick - rise, outer - thick, OUTSIDE)
    inside = np.maximum(body - across, within(across, inner, outer))

    edge = height * draw((0.15, 0.7))
    flap = draw((-0.5, 0.7)) * tent(t, edge, 1.1)
    clasp = draw((-0.8, 0.9)) * tent(t, edge, 2.0) * unit(draw((0.8, 2.6)) - across)
    return inside, (1.0 - np.maximum(flap, 0.0)) * (1.0 - clasp)


def shoe(last: Last, draw: Chance) -> tuple[Array, Array]:
    """Draw a shoe from its side, toe to the left: sole, heel, upper and what is cut out of it."""
    toe, back = draw((0.4, 2.6)), draw((24.6, 27.2))
    s = (COLUMNS - toe) / (back - toe)
    collar, heel = np.maximum(draw(last.collar), 0.0), np.maximum(draw(last.heel), 0.0)
    tilt = draw((-0.06, 0.06)) * (COLUMNS - 13.5)
    ground = 17.5 + (collar + heel) * 0.4 + draw((-0.9, 0.9)) + tilt
    arch = ground - heel * ramp(s, draw((0.22, 0.4)), draw((0.62, 0.85)))
    foot = arch - draw(last.sole)
    block = np.clip(draw((0.55, 1.02)), 0.6, 0.93)
    sole = np.where((s > -0.02) & (s < 1.02), np.where(s > block, ground, arch) + 0.3, OUTSIDE)
    below = ROWS - foot
    cloth = upper(last, draw, s, collar, below)
    inside = np.maximum(cloth, np.minimum(below, sole - ROWS))

    line = unit(below + 0.5) * draw(last.contrast)
    line += draw((-0.2, 0.8)) * unit(1.0 - np.abs(below))
    lace = np.maximum(draw(last.lace), 0.0) * tent(s, 0.45, 0.2)
    lace = lace * unit(wave(ROWS / 2.6 + 3.0 * s))
    stripe = draw((-0.7, 0.7)) * tent(s, draw((0.3, 0.8)), 0.12)
    return inside, (1.0 - line) * ((1.0 - stripe) * (1.0 - lace))


def upper(last: Last, draw: Chance, s: Array, collar: Array, below: Array) -> Array:
    """Return the distance inside a shoe's upper: straps hanging from a rim, or all of it."""
    instep, begin = draw(last.instep), draw(last.shaft)
    height = draw(last.toe) + (instep - draw((2.0, 4.0))) * ramp(s, draw((0.16, 0.38)), begin)
    height = height + (collar - instep) * ramp(s, begin, begin + draw((0.04, 0.2)))
    vamp = np.maximum(draw(last.vamp), 0.0)
    height = height * np.sqrt(unit((s - vamp) * draw((4.0, 9.0)) + 0.1))
    height = height - draw((0.0, 2.6)) * tent(s, 0.8, 0.16)
    back = np.minimum(draw(last.back), 1.02)
    height = np.where((s > vamp - 0.02) & (s < back), height, 4.0 * OUTSIDE)
    deep = below + height
    strap = draw(last.strap)
    bands = wave(strap * s + draw((-0.09, 0.09)) * below + draw((0, 1)))
    bands = (bands + (1.0 - 2.0 * draw(last.open))) * (7.0 / strap)
    cloth: Array = np.maximum(bands, draw(last.rim) - deep)
    cloth = np.minimum(cloth, np.minimum(deep, 0.6 - below))
    return cloth
