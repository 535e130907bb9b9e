"""Write the tables of this folder: what other libraries' schedules give, step by step.

Run with torch (CPU), optax, timm and transformers importable; nothing else of lrlab needs them:

    python tests/parity/generate.py

A case has a schedule of lrlab, the call of the library, and its values for three runs: steps an
epoch, epochs, and the rate of every step from the first to one past the end.
"""

import importlib.metadata
import importlib.util
import json
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

RUNS = ((7, 3), (10, 4), (13, 5))
HERE = Path(__file__).parent

Curve = Callable[[int], float]
Case = tuple[str, str, Callable[[int, int], Curve]]
"""A schedule of lrlab, the library's call, and (steps an epoch, steps) -> rate of a step."""


def torch_cases() -> Iterator[Case]:
    """Yield PyTorch's schedulers: each is stepped once a step, as its documentation says."""
    import torch
    from torch.optim import lr_scheduler as s

    def stepped(make: Callable[[Any, int, int], Any], lr: float = 0.1) -> Any:
        def curve(spe: int, n: int) -> Curve:
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
            scheduler = make(optimizer, spe, n)
            rates = []
            for _ in range(n + 1):
                rates.append(float(optimizer.param_groups[0]["lr"]))
                optimizer.step()
                try:
                    scheduler.step()
                except ValueError:  # OneCycleLR refuses to go past its end.
                    break
            return lambda step: rates[step] if step < len(rates) else None  # type: ignore[return-value]

        return curve

    yield (
        "{type: constant, lr: 0.1}",
        "LambdaLR(lambda t: 1)",
        stepped(lambda o, e, n: s.LambdaLR(o, lambda t: 1.0)),
    )
    yield (
        "{type: linear, initial_lr: 0.1, end_lr: 0.02}",
        ("LinearLR(start_factor=1, end_factor=0.2, total_iters=steps)"),
        stepped(lambda o, e, n: s.LinearLR(o, 1.0, 0.2, n)),
    )
    yield (
        "{type: exponential, initial_lr: 0.1, s: 1 step, factor: 0.9}",
        ("ExponentialLR(gamma=0.9)"),
        stepped(lambda o, e, n: s.ExponentialLR(o, 0.9)),
    )
    yield (
        "{type: step, initial_lr: 0.1, every: 1 epoch, factor: 0.5}",
        ("StepLR(step_size=steps_per_epoch, gamma=0.5)"),
        stepped(lambda o, e, n: s.StepLR(o, e, 0.5)),
    )
    yield (
        "{type: multistep, initial_lr: 0.1, boundaries: [1 epoch, 15 steps]}",
        ("MultiStepLR(milestones=[steps_per_epoch, 15])"),
        stepped(lambda o, e, n: s.MultiStepLR(o, [e, 15])),
    )
    yield (
        "{type: polynomial, initial_lr: 0.1, power: 2.0}",
        ("PolynomialLR(total_iters=steps, power=2)"),
        stepped(lambda o, e, n: s.PolynomialLR(o, n, 2.0)),
    )
    yield (
        "{type: cosine, initial_lr: 0.1, end_lr: 0.001}",
        ("CosineAnnealingLR(T_max=steps, eta_min=0.001)"),
        stepped(lambda o, e, n: s.CosineAnnealingLR(o, n, 0.001)),
    )
    for growth in (1, 2):
        text = f"{{type: cosine_restarts, initial_lr: 0.1, period: 1 epoch, growth: {growth}.0, "
        call = f"CosineAnnealingWarmRestarts(T_0=steps_per_epoch, T_mult={growth}, eta_min=0.001)"
        yield (
            text + "min_lr: 0.001}",
            call,
            stepped(lambda o, e, n, g=growth: s.CosineAnnealingWarmRestarts(o, e, g, 0.001)),
        )
    for mode in ("triangular", "triangular2"):
        text = f"{{type: cyclic, min_lr: 0.01, max_lr: 0.1, up: 4 steps, mode: {mode}}}"
        call = f"CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=4, mode={mode})"
        yield text, call, stepped(lambda o, e, n, m=mode: s.CyclicLR(o, 0.01, 0.1, 4, mode=m))
    yield (
        "{type: cyclic, min_lr: 0.01, max_lr: 0.1, up: 3 steps, down: 5 steps, mode: exp_range, "
        "gamma: 0.95}"
    ), "CyclicLR(base_lr=0.01, max_lr=0.1, step_size_up=3, step_size_down=5, mode=exp_range, " \
        "gamma=0.95)", stepped(
        lambda o, e, n: s.CyclicLR(o, 0.01, 0.1, 3, 5, mode="exp_range", gamma=0.95)
    )  # fmt: skip
    for text, keywords in ONE_CYCLES:
        shown = ", ".join(f"{key}={value}" for key, value in keywords.items())
        yield (
            f"{{type: one_cycle, variant: pytorch, max_lr: 0.1{text}}}",
            (f"OneCycleLR(max_lr=0.1, total_steps=steps{', ' if shown else ''}{shown})"),
            stepped(
                lambda o, e, n, k=keywords: s.OneCycleLR(
                    o, 0.1, total_steps=n, cycle_momentum=False, **k
                )
            ),
        )
    yield (
        (
            "{type: sequence, phases: [{for: 5 steps, type: linear, initial_lr: 0.01, "
            "end_lr: 0.1}, {type: cosine, initial_lr: 0.1}]}"
        ),
        "SequentialLR([LinearLR(0.1, 1, 5), CosineAnnealingLR(steps - 5)], [5])",
        stepped(
            lambda o, e, n: s.SequentialLR(
                o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, n - 5)], [5]
            )
        ),
    )
    yield (
        ("{type: cosine, initial_lr: 0.1, warmup: {for: 5 steps, from: 0.01}}"),
        "SequentialLR([LinearLR(0.1, 1, 5), CosineAnnealingLR(steps - 5)], [5])",
        stepped(
            lambda o, e, n: s.SequentialLR(
                o, [s.LinearLR(o, 0.1, 1.0, 5), s.CosineAnnealingLR(o, n - 5)], [5]
            )
        ),
    )
    yield (
        (
            "{type: formula, expression: 'lr0 * decay ** floor(epoch)', "
            "parameters: {lr0: 0.1, decay: 0.8}}"
        ),
        "LambdaLR(lambda t: 0.8 ** (t // steps_per_epoch))",
        stepped(lambda o, e, n: s.LambdaLR(o, lambda t: 0.8 ** (t // e))),
    )


ONE_CYCLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {}),
    (", pct_start: 0.4, shape: linear", {"pct_start": 0.4, "anneal_strategy": "linear"}),
    (", three_phase: true", {"three_phase": True}),
    (
        ", start_lr: 0.01, end_lr: 0.0001",
        {"div_factor": 10, "final_div_factor": 100},
    ),
)


def optax_cases() -> Iterator[Case]:
    """Yield optax' schedules, computed in float64."""
    import jax
    import optax as o

    jax.config.update("jax_enable_x64", True)

    def called(make: Callable[[int, int], Any]) -> Any:
        def curve(spe: int, n: int) -> Curve:
            schedule = make(spe, n)
            return lambda step: float(schedule(jax.numpy.asarray(step, dtype="float64")))

        return curve

    yield (
        "{type: constant, lr: 0.1}",
        "constant_schedule(0.1)",
        called(lambda e, n: o.constant_schedule(0.1)),
    )
    yield (
        "{type: linear, initial_lr: 0.1, end_lr: 0.02, over: 80%}",
        ("linear_schedule(0.1, 0.02, 0.8 * steps)"),
        called(lambda e, n: o.linear_schedule(0.1, 0.02, 0.8 * n)),
    )
    yield (
        "{type: polynomial, initial_lr: 0.1, end_lr: 0.01, power: 3.0}",
        ("polynomial_schedule(0.1, 0.01, 3, steps)"),
        called(lambda e, n: o.polynomial_schedule(0.1, 0.01, 3, n)),
    )
    yield (
        "{type: cosine, initial_lr: 0.1, end_lr: 0.005}",
        ("cosine_decay_schedule(0.1, steps, alpha=0.05)"),
        called(lambda e, n: o.cosine_decay_schedule(0.1, n, 0.05)),
    )
    yield (
        "{type: cosine, initial_lr: 0.1, end_lr: 0.01, warmup: {for: 4 steps, from: 0.02}}",
        ("warmup_cosine_decay_schedule(0.02, 0.1, 4, steps, 0.01)"),
        called(lambda e, n: o.warmup_cosine_decay_schedule(0.02, 0.1, 4, n, 0.01)),
    )
    yield (
        "{type: constant, lr: 0.1, warmup: {for: 4 steps}}",
        ("warmup_constant_schedule(0, 0.1, 4)"),
        called(lambda e, n: o.warmup_constant_schedule(0.0, 0.1, 4)),
    )
    yield (
        "{type: exponential, initial_lr: 0.1, s: 5 steps, factor: 0.7}",
        ("exponential_decay(0.1, 5, 0.7)"),
        called(lambda e, n: o.exponential_decay(0.1, 5, 0.7)),
    )
    yield (
        "{type: step, initial_lr: 0.1, every: 5 steps, factor: 0.7}",
        ("exponential_decay(0.1, 5, 0.7, staircase=True)"),
        called(lambda e, n: o.exponential_decay(0.1, 5, 0.7, staircase=True)),
    )
    yield (
        ("{type: exponential, initial_lr: 0.1, s: 5 steps, factor: 0.7, warmup: {for: 4 steps}}"),
        "warmup_exponential_decay_schedule(0, 0.1, 4, 5, 0.7)",
        called(lambda e, n: o.warmup_exponential_decay_schedule(0.0, 0.1, 4, 5, 0.7)),
    )
    yield (
        "{type: multistep, initial_lr: 0.1, boundaries: [1 epoch, 2 epochs], factor: 0.3}",
        ("piecewise_constant_schedule(0.1, {steps_per_epoch: 0.3, 2 * steps_per_epoch: 0.3})"),
        called(lambda e, n: o.piecewise_constant_schedule(0.1, {e: 0.3, 2 * e: 0.3})),
    )
    yield (
        (
            "{type: sequence, phases: [{for: 6 steps, type: cosine, initial_lr: 0.1, "
            "warmup: {for: 2 steps}}, {type: cosine, initial_lr: 0.05, warmup: {for: 3 steps}}]}"
        ),
        "sgdr_schedule([{0, 0.1, 2, 6}, {0, 0.05, 3, steps - 6}])",
        called(
            lambda e, n: o.sgdr_schedule(
                [
                    {"init_value": 0.0, "peak_value": 0.1, "warmup_steps": 2, "decay_steps": 6},
                    {
                        "init_value": 0.0,
                        "peak_value": 0.05,
                        "warmup_steps": 3,
                        "decay_steps": n - 6,
                    },
                ]
            )
        ),
    )
    yield (
        (
            "{type: sequence, phases: [{for: 6 steps, type: constant, lr: 0.1}, "
            "{type: exponential, initial_lr: 0.1, s: 5 steps, factor: 0.7}]}"
        ),
        "join_schedules([constant_schedule(0.1), exponential_decay(0.1, 5, 0.7)], [6])",
        called(
            lambda e, n: o.join_schedules(
                [o.constant_schedule(0.1), o.exponential_decay(0.1, 5, 0.7)], [6]
            )
        ),
    )


def optax_onecycle_cases() -> Iterator[Case]:
    """Yield optax' cosine 1cycle, whose peak it rounds down to a whole step."""
    import optax as o

    def curve(spe: int, n: int) -> Curve:
        schedule = o.cosine_onecycle_schedule(20, 0.1, 0.25, 25.0, 4000.0)
        return lambda step: float(schedule(step))

    yield (
        "{type: one_cycle, variant: fastai, max_lr: 0.1, over: 20 steps}",
        ("cosine_onecycle_schedule(20, 0.1, pct_start=0.25, div_factor=25, final_div_factor=4000)"),
        curve,
    )


def timm_cases() -> Iterator[Case]:
    """Yield timm's schedulers, updated every step (`t_in_epochs=False`)."""
    import torch
    from timm.scheduler.cosine_lr import CosineLRScheduler
    from timm.scheduler.multistep_lr import MultiStepLRScheduler
    from timm.scheduler.poly_lr import PolyLRScheduler
    from timm.scheduler.step_lr import StepLRScheduler
    from timm.scheduler.tanh_lr import TanhLRScheduler

    def updated(make: Callable[[Any, int, int], Any]) -> Any:
        def curve(spe: int, n: int) -> Curve:
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
            scheduler = make(optimizer, spe, n)

            def rate(step: int) -> float:
                scheduler.step_update(step)
                return float(optimizer.param_groups[0]["lr"])

            return rate

        return curve

    steps: dict[str, Any] = {"t_in_epochs": False}
    warm: dict[str, Any] = {"warmup_t": 4, "warmup_lr_init": 0.01, "warmup_prefix": True, **steps}
    yield (
        "{type: cosine, initial_lr: 0.1, end_lr: 0.001}",
        ("CosineLRScheduler(t_initial=steps, lr_min=0.001)"),
        updated(lambda o, e, n: CosineLRScheduler(o, n, lr_min=0.001, **steps)),
    )
    yield (
        ("{type: cosine, initial_lr: 0.1, over: 15 steps, warmup: {for: 4 steps, from: 0.01}}"),
        "CosineLRScheduler(15, warmup_t=4, warmup_lr_init=0.01, warmup_prefix=True)",
        updated(lambda o, e, n: CosineLRScheduler(o, 15, **warm)),
    )
    yield (
        ("{type: cosine_restarts, initial_lr: 0.1, period: 5 steps, growth: 2.0, decay: 0.5}"),
        "CosineLRScheduler(5, cycle_mul=2, cycle_decay=0.5, cycle_limit=9)",
        updated(
            lambda o, e, n: CosineLRScheduler(
                o, 5, cycle_mul=2.0, cycle_decay=0.5, cycle_limit=9, **steps
            )
        ),
    )
    yield (
        "{type: tanh, initial_lr: 0.1, lower: -7.0, upper: 3.0, end_lr: 0.001}",
        ("TanhLRScheduler(t_initial=steps, lb=-7, ub=3, lr_min=0.001)"),
        updated(lambda o, e, n: TanhLRScheduler(o, n, lb=-7.0, ub=3.0, lr_min=0.001, **steps)),
    )
    yield (
        "{type: polynomial, initial_lr: 0.1, power: 0.5, end_lr: 0.001}",
        ("PolyLRScheduler(t_initial=steps, power=0.5, lr_min=0.001)"),
        updated(lambda o, e, n: PolyLRScheduler(o, n, power=0.5, lr_min=0.001, **steps)),
    )
    yield (
        "{type: step, initial_lr: 0.1, every: 1 epoch, factor: 0.3}",
        ("StepLRScheduler(decay_t=steps_per_epoch, decay_rate=0.3)"),
        updated(lambda o, e, n: StepLRScheduler(o, e, 0.3, **steps)),
    )
    yield (
        "{type: multistep, initial_lr: 0.1, boundaries: [4 steps, 9 steps], factor: 0.3}",
        ("MultiStepLRScheduler(decay_t=[4 + 1, 9 + 1], decay_rate=0.3)"),
        updated(lambda o, e, n: MultiStepLRScheduler(o, [5, 10], 0.3, **steps)),
    )


def transformers_cases() -> Iterator[Case]:
    """Yield Hugging Face's schedules, stepped once a step."""
    import torch
    import transformers.optimization as h

    def stepped(make: Callable[[Any, int, int], Any]) -> Any:
        def curve(spe: int, n: int) -> Curve:
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
            scheduler = make(optimizer, spe, n)
            rates = []
            for _ in range(n + 1):
                rates.append(float(optimizer.param_groups[0]["lr"]))
                optimizer.step()
                scheduler.step()
            return lambda step: rates[step]

        return curve

    yield (
        "{type: constant, lr: 0.1, warmup: {for: 4 steps}}",
        ("get_constant_schedule_with_warmup(4)"),
        stepped(lambda o, e, n: h.get_constant_schedule_with_warmup(o, 4)),
    )
    yield (
        "{type: linear_to_zero, max_lr: 0.1, warmup: {for: 4 steps}}",
        ("get_linear_schedule_with_warmup(4, steps)"),
        stepped(lambda o, e, n: h.get_linear_schedule_with_warmup(o, 4, n)),
    )
    yield (
        "{type: cosine, initial_lr: 0.1, warmup: {for: 4 steps}}",
        ("get_cosine_schedule_with_warmup(4, steps)"),
        stepped(lambda o, e, n: h.get_cosine_schedule_with_warmup(o, 4, n)),
    )
    yield (
        "{type: cosine, initial_lr: 0.1, end_lr: 0.01, warmup: {for: 4 steps}}",
        ("get_cosine_with_min_lr_schedule_with_warmup(4, steps, min_lr_rate=0.1)"),
        stepped(
            lambda o, e, n: h.get_cosine_with_min_lr_schedule_with_warmup(o, 4, n, min_lr_rate=0.1)
        ),
    )
    yield (
        "{type: polynomial, initial_lr: 0.1, end_lr: 1e-3, power: 2.0, warmup: {for: 4 steps}}",
        ("get_polynomial_decay_schedule_with_warmup(4, steps, lr_end=1e-3, power=2)"),
        stepped(lambda o, e, n: h.get_polynomial_decay_schedule_with_warmup(o, 4, n, 1e-3, 2.0)),
    )
    yield (
        "{type: inverse_sqrt, max_lr: 0.1, s: 6 steps}",
        ("get_inverse_sqrt_schedule(6)"),
        stepped(lambda o, e, n: h.get_inverse_sqrt_schedule(o, 6)),
    )
    for theirs, ours in (("linear", "linear"), ("cosine", "cosine"), ("1-sqrt", "one_minus_sqrt")):
        yield (
            (
                f"{{type: wsd, max_lr: 0.1, end_lr: 0.01, decay: 6 steps, shape: {ours}, "
                "warmup: {for: 4 steps, from: 0.01}}"
            ),
            f"get_wsd_schedule(4, 6, steps, decay_type={theirs}, min_lr_ratio=0.1)",
            stepped(
                lambda o, e, n, t=theirs: h.get_wsd_schedule(
                    o, 4, 6, num_training_steps=n, decay_type=t, min_lr_ratio=0.1
                )
            ),
        )
    yield (
        (
            "{type: sequence, warmup: {for: 4 steps}, phases: [{type: cosine_restarts, "
            "initial_lr: 0.1, period: 50%, growth: 1.0}]}"
        ),
        "get_cosine_with_hard_restarts_schedule_with_warmup(4, steps, num_cycles=2)",
        stepped(lambda o, e, n: h.get_cosine_with_hard_restarts_schedule_with_warmup(o, 4, n, 2)),
    )


def plateau_cases() -> list[dict[str, Any]]:
    """Return PyTorch's ReduceLROnPlateau and Hugging Face's GreedyLR on random histories."""
    import random

    import torch
    from transformers.optimization import GreedyLR

    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau
    rng = random.Random(0)
    tables = []
    for number in range(40):
        noise = rng.choice([0.02, 0.1, 0.5])
        history = [round(2.0 * 0.97**i + rng.gauss(0, noise), 4) for i in range(60)]
        shared: dict[str, Any] = {
            "factor": rng.choice([0.5, 0.8]),
            "patience": rng.choice([0, 1, 3]),
            "cooldown": rng.choice([0, 0, 2]),
            "min_lr": rng.choice([0.0, 0.01]),
            "threshold": rng.choice([0.0, 1e-4, 0.05]),
            "threshold_mode": rng.choice(["rel", "abs"]),
            "mode": rng.choice(["min", "max"]),
        }
        own: dict[str, Any] = {}
        if number % 2:
            own = {
                "warmup": rng.choice([0, 2]),
                "max_lr": rng.choice([0.15, 1.0]),
                "smooth": number % 4 == 1,
                "window_size": 3,
                "reset_start": rng.choice([2, 500]),
            }
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler = (GreedyLR if own else plateau)(optimizer, **shared, **own)
        rates = []
        for result in history:
            scheduler.step(result)
            rates.append(optimizer.param_groups[0]["lr"])
        name = "GreedyLR" if own else "ReduceLROnPlateau"
        tables.append({"call": name, "keywords": {**shared, **own}, "history": history,
                       "rates": [short(rate) for rate in rates]})  # fmt: skip
    return tables


def optax_plateau_cases() -> list[dict[str, Any]]:
    """Return optax' reduce_on_plateau on random histories, computed in float64."""
    import random

    import jax
    from optax.contrib import reduce_on_plateau

    jax.config.update("jax_enable_x64", True)
    rng = random.Random(1)
    tables = []
    for number in range(20):
        noise = rng.choice([0.02, 0.1, 0.5])
        history = [round(2.0 * 0.97**i + rng.gauss(0, noise), 4) for i in range(60)]
        keywords: dict[str, Any] = {
            "factor": rng.choice([0.5, 0.8]),
            "patience": rng.choice([1, 2, 4]),
            "cooldown": number % 4,
            "min_scale": rng.choice([0.0, 0.1]),
            "rtol": rng.choice([1e-4, 0.05]),
        }
        transform = reduce_on_plateau(**keywords)
        weight = jax.numpy.ones((), "float64")
        state, rates = transform.init(weight), []
        for result in history:
            _, state = transform.update(weight, state, value=result)
            rates.append(0.1 * float(state.scale))
        tables.append({"call": "reduce_on_plateau", "keywords": keywords, "history": history,
                       "rates": [short(rate) for rate in rates]})  # fmt: skip
    return tables


def momentum_cases() -> list[dict[str, Any]]:
    """Return the momentum that PyTorch's OneCycleLR cycles."""
    import torch

    tables = []
    for text, keywords in ONE_CYCLES[:3]:
        values = []
        for spe, epochs in RUNS:
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1, momentum=0.9)
            scheduler = torch.optim.lr_scheduler.OneCycleLR(
                optimizer, 0.1, total_steps=spe * epochs, **keywords
            )
            row = []
            for _ in range(spe * epochs):
                row.append(short(optimizer.param_groups[0]["momentum"]))
                optimizer.step()
                if len(row) < spe * epochs:
                    scheduler.step()
            values.append(row)
        schedule = f"{{type: one_cycle, variant: pytorch, max_lr: 0.1{text}, momentum: {{}}}}"
        tables.append({"schedule": schedule, "call": "OneCycleLR", "values": values})
    return tables


def short(value: float | None) -> float | None:
    """Return a value with 10 digits, far more than the tests compare."""
    return None if value is None else float(f"{float(value):.10g}")


def table(cases: Iterator[Case]) -> list[dict[str, Any]]:
    """Return the values of every case for the three runs."""
    rows = []
    for schedule, call, curve in cases:
        values = []
        for spe, epochs in RUNS:
            rate = curve(spe, spe * epochs)
            values.append([short(rate(step)) for step in range(spe * epochs + 1)])
        rows.append({"schedule": schedule, "call": call, "values": values})
    return rows


def write(name: str, packages: list[str], rows: list[dict[str, Any]]) -> None:
    """Write a table with the versions it comes from, one case a line."""
    versions = {package: importlib.metadata.version(package) for package in packages}
    lines = ",\n".join(json.dumps(row) for row in rows)
    head = json.dumps({"versions": versions, "runs": RUNS})[1:-1]
    (HERE / f"{name}.json").write_text(f'{{{head}, "cases": [\n{lines}\n]}}\n')


def main() -> None:
    """Write all tables."""
    # timm's package imports torchvision for its models; its schedulers do not need it.
    spec = importlib.util.find_spec("timm")
    assert spec is not None
    bare = types.ModuleType("timm")
    bare.__path__ = list(spec.submodule_search_locations or [])
    sys.modules["timm"] = bare
    import torch

    torch.set_default_dtype(torch.float64)
    write("torch", ["torch"], table(torch_cases()))
    write("optax", ["optax"], [*table(optax_cases()), *table(optax_onecycle_cases())])
    write("timm", ["timm"], table(timm_cases()))
    write("transformers", ["transformers"], table(transformers_cases()))
    write("plateau", ["torch", "transformers"], plateau_cases())
    write("optax_plateau", ["optax", "jax"], optax_plateau_cases())
    write("momentum", ["torch"], momentum_cases())


if __name__ == "__main__":
    main()
