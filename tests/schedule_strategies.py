"""Random valid schedules for hypothesis, derived from the fields of their models."""

import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import assume
from hypothesis import strategies as st
from pydantic import ValidationError

from lrlab.config import parse
from lrlab.fields import Model, OrAuto
from lrlab.schedules import SCHEDULES, OpenLoop
from lrlab.schedules.durations import Duration

RATE = st.floats(1e-6, 10)
FLOOR = st.one_of(st.just(0.0), st.floats(1e-9, 1e-6))
PART = st.sampled_from(["0.4 epochs", "1 epoch", "2 epochs", "3 steps", "7.5 steps", "20%", "55%"])
OVER = st.one_of(st.just("100%"), PART)

RUN = st.tuples(st.integers(1, 12), st.integers(1, 6))
"""Steps in an epoch, and epochs."""

WARMUP = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {"for": PART, "from": FLOOR, "shape": st.sampled_from(["linear", "cosine"])}
    ),
)

# What types and ranges do not say: lists that fit together, expressions, what is a floor.
BY_KEY: Mapping[str, st.SearchStrategy[Any]] = {
    "values": st.lists(st.floats(0, 1), min_size=3, max_size=3),
    "boundaries": st.just(["4 steps", "9 steps"]),
    "scale": st.floats(0.01, 100),
    "min_lr": FLOOR,
    "end_lr": FLOOR,
    "over": OVER,
    "parameters": st.fixed_dictionaries({"a": RATE}),
    "epoch": st.just("1 epoch"),
    "growth": st.one_of(st.just(1.0), st.floats(1.001, 4)),
    "expression": st.sampled_from(
        [
            "a * 0.1 ** epoch",
            "a / (1 + sqrt(step))",
            "a * cos(pi / 2 * progress)",
            "where(step < 3, a, a / 2)",
            "a if 0.2 <= progress < 0.5 else max(a, 1e-3)",
        ]
    ),
    "momentum": st.one_of(st.none(), st.just({"low": 0.5, "high": 0.9})),
}
OPEN_LOOPS = sorted(name for name, model in SCHEDULES.items() if issubclass(model, OpenLoop))


def of_key(key: str, field: Any) -> st.SearchStrategy[Any]:
    """Return valid values of a field, or values of which some are valid."""
    found = BY_KEY.get(key)
    if found is None:
        found = of_type(field.annotation, field.metadata)
    return found if field.is_required() or field.default is None else st.one_of(
        st.just(as_stated(field.default)), found
    )  # fmt: skip


def as_stated(default: Any) -> Any:
    return str(default) if isinstance(default, Duration) else default


def of_type(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    if any(isinstance(mark, OrAuto) for mark in metadata):
        return RATE
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
        return st.one_of(st.none(), *[of_type(kind, metadata) for kind in kinds])
    if hasattr(annotation, "__metadata__"):
        inner, *more = get_args(annotation)
        return of_type(inner, [*metadata, *more])
    if get_origin(annotation) is Literal:
        return st.sampled_from(get_args(annotation))
    if annotation is Duration:
        return PART
    if annotation is bool:
        return st.booleans()
    assert annotation is float, f"no strategy for {annotation}"
    limits = [limit for mark in metadata for limit in getattr(mark, "metadata", [mark])]
    low = max([getattr(m, "gt", getattr(m, "ge", None)) or 0.0 for m in limits], default=0.0)
    low = min([getattr(m, "ge", low) for m in limits], default=low)
    high = min([getattr(m, "lt", getattr(m, "le", 5.0)) for m in limits], default=5.0)
    return st.floats(low, high, exclude_max=True) if low < 0 else st.floats(0.01, high * 0.99)


def configs(name: str, **more: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Return mappings that state a schedule of a type, some of which are refused."""
    model: type[Model] = SCHEDULES[name]
    own = {
        key: of_key(key, field)
        for key, field in model.keys().items()
        if key not in ("type", "warmup", "update", "for")
    }
    shared = {"warmup": WARMUP, "update": st.sampled_from(["step", "epoch"])}
    return st.fixed_dictionaries({"type": st.just(name), **own, **shared, **more})


@st.composite
def sequences(draw: Any) -> dict[str, Any]:
    def phase() -> dict[str, Any]:
        name = draw(st.sampled_from(OPEN_LOOPS))
        found = draw(configs(name, **{"for": PART}))
        return {key: value for key, value in found.items() if key != "momentum"}

    phases = [phase() for _ in range(draw(st.integers(1, 3)))]
    phases[-1]["for"] = draw(st.sampled_from(["rest", "2 epochs"]))
    cycles = draw(st.integers(1, 3))
    return {"type": "sequence", "phases": phases, "warmup": draw(WARMUP), "cycles": cycles}


ANY = st.one_of(*[configs(name) for name in OPEN_LOOPS], sequences())


def valid(values: dict[str, Any]) -> Any:
    """Return the schedule that a mapping states; the example is given up if it is refused."""
    try:
        return SCHEDULES[values["type"]].model_validate(values)
    except ValidationError:
        assume(False)


def schedule(text: str) -> Any:
    """Return the schedule that a flow mapping states."""
    return parse(f"schedule: {text}\noptimizer: {{type: sgd, momentum: 0.9}}").experiment.schedule
