"""Tasks of other families than those that the finder was made on, and what each rate gives there.

    python benchmarks/finder_families.py --data-dir DIR

Convolutional networks with pooling and with BatchNorm, digits, a tabular set, a regression, token
sequences with attention and with a recurrent layer; 5 and 20 epochs, batches of 8 to 1024, SGD,
momentum, Nesterov, Adam, AdamW, RMSprop. The tasks were chosen, and half of them held out, before
any was trained. The truth of a task: at each rate of a grid with ratio 2 the validation loss and
accuracy at the end of a run, for a constant rate and for 1cycle, two seeds each. A training loop
of its own serves all losses; digits come from scikit-learn (`pip install scikit-learn`).
"""

import argparse
import functools
import json
import math
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lrlab.finder import sweep
from lrlab.schedules.one_cycle import one_cycle

HERE = Path(__file__).parent
STORED = HERE / "finder_families.json"
GRID = tuple(2.0**k for k in range(-17, 3))
SWEEP_SEEDS, TRUTH_SEEDS = 3, 2
STEPS_SWEPT = (200, 500)

MOMENTUM = {"type": "sgd", "momentum": 0.9}
NESTEROV = {"type": "sgd", "momentum": 0.9, "nesterov": True}


class Task(NamedTuple):
    """What is trained, and for how long."""

    model: str
    data: str
    batch_size: int
    optimizer: dict[str, Any]
    epochs: int

    @property
    def name(self) -> str:
        """What the tables call it."""
        o = self.optimizer
        kind = "nesterov" if o.get("nesterov") else "mom" if o.get("momentum") else o["type"]
        return f"{self.model}, {self.data}, {self.batch_size}, {kind}, {self.epochs} epochs"


DEVELOPMENT = (
    Task("conv_pool", "fashion", 32, MOMENTUM, 5),
    Task("conv_bn", "fashion", 64, {"type": "adam"}, 5),
    Task("mlp", "digits", 16, MOMENTUM, 20),
    Task("conv_pool", "digits", 32, {"type": "adam"}, 20),
    Task("mlp", "tabular", 128, {"type": "adamw"}, 5),
    Task("mlp", "friedman", 64, {"type": "adam"}, 5),
    Task("attention", "tokens", 64, {"type": "adam"}, 5),
    Task("mlp", "fashion", 8, {"type": "sgd"}, 5),
)
HELD_OUT = (
    Task("conv_pool", "fashion", 128, {"type": "sgd"}, 5),
    Task("conv_bn", "sketches", 32, MOMENTUM, 5),
    Task("conv_pool", "digits", 16, NESTEROV, 20),
    Task("mlp", "digits", 128, {"type": "rmsprop"}, 20),
    Task("mlp", "tabular", 1024, MOMENTUM, 20),
    Task("mlp", "friedman", 32, MOMENTUM, 5),
    Task("recurrent", "tokens", 128, {"type": "rmsprop"}, 5),
    Task("conv_bn", "fashion", 512, {"type": "adamw"}, 5),
)
"""Chosen before any of them was trained; no rule and no factor was fitted to them."""

REGRESSION = ("friedman",)


class Arrays(NamedTuple):
    """Training and validation data, and the loss of the best guess that ignores the input."""

    x: Any
    y: Any
    x_val: Any
    y_val: Any
    chance: float


@functools.cache
def arrays(name: str, data_dir: Path | None) -> Arrays:
    """Return a data set, standardised over its training part."""
    rng = np.random.default_rng(3)
    if name == "digits":
        from sklearn.datasets import load_digits

        x, y = load_digits(return_X_y=True)
        order = rng.permutation(len(x))
        return split(x[order].reshape(-1, 8, 8), y[order], 360)
    if name == "tabular":
        # Five classes, each a mixture of three clouds that overlap, under a random rotation.
        centres, turn = rng.normal(0, 1.6, (5, 3, 12)), rng.normal(0, 1, (12, 30))
        y, cloud = rng.integers(0, 5, 12_000), rng.integers(0, 3, 12_000)
        x = (centres[y, cloud] + rng.normal(0, 1, (12_000, 12))) @ turn
        return split(x + rng.normal(0, 2, x.shape), y, 2_000)
    if name == "friedman":
        # Friedman (1991), the first function.
        x = rng.uniform(0, 1, (12_000, 10))
        y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
        y = y + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(0, 1, len(x))
        return split(x, ((y - y.mean()) / y.std()).astype(np.float32), 2_000)
    if name == "tokens":
        # The class is the token that follows the first 0; there may be several.
        x = rng.integers(1, 9, (12_000, 16))
        x[np.arange(len(x)), rng.integers(0, 15, len(x))] = 0
        first = (x[:, :-1] == 0).argmax(axis=1)
        return split(x, x[np.arange(len(x)), first + 1] % 8, 2_000, scale=False)
    from lrlab.tasks import data

    source = data.resolve({"fashion": "fashion-mnist"}.get(name, name), data_dir)
    loaded = data.load(source)
    return Arrays(
        loaded.x_train[:10_000], loaded.y_train[:10_000], loaded.x_val[:2_000],
        loaded.y_val[:2_000], math.log(10),
    )  # fmt: skip


def split(x: Any, y: Any, val: int, *, scale: bool = True) -> Arrays:
    """Return data with its last `val` samples for validation."""
    train, rest = x[:-val], x[-val:]
    if scale:
        mean, deviation = train.mean(axis=0), train.std(axis=0)
        deviation = np.where(deviation > 0, deviation, 1)
        train, rest = [((part - mean) / deviation).astype(np.float32) for part in (train, rest)]
    else:
        train, rest = train.astype(np.int32), rest.astype(np.int32)
    if y.dtype.kind == "f":
        return Arrays(train, y[:-val], rest, y[-val:], float(np.var(y[-val:])))
    y = y.astype(np.int32)
    shares = np.bincount(y[:-val]) / (len(y) - val)
    return Arrays(train, y[:-val], rest, y[-val:], float(-(shares * np.log(shares)).sum()))


def build(task: Task, data: Arrays, seed: int) -> Any:
    """Return a fresh model, a function of the seed alone."""
    import keras
    from keras import Input, Sequential, layers

    keras.utils.set_random_seed(seed)
    outputs = 1 if task.data in REGRESSION else int(data.y.max()) + 1
    last = layers.Dense(outputs)
    shape = data.x.shape[1:]
    if task.model == "mlp":
        hidden = [layers.Dense(100, "relu", kernel_initializer="he_normal") for _ in range(2)]
        return Sequential([Input(shape), layers.Flatten(), *hidden, last])
    if task.model == "conv_pool":
        parts = [
            layers.Reshape((*shape, 1)),
            layers.Conv2D(8, 3, padding="same", activation="relu", kernel_initializer="he_normal"),
            layers.MaxPooling2D(),
            layers.Conv2D(16, 3, padding="same", activation="relu", kernel_initializer="he_normal"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dense(64, "relu", kernel_initializer="he_normal"),
        ]
        return Sequential([Input(shape), *parts, last])
    if task.model == "conv_bn":
        parts = [layers.Reshape((*shape, 1))]
        for channels in (8, 16, 32):
            convolution = layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False,
                                        kernel_initializer="he_normal")  # fmt: skip
            parts += [convolution, layers.BatchNormalization(), layers.Activation("relu")]
        return Sequential([Input(shape), *parts, layers.GlobalAveragePooling2D(), last])
    tokens = Input(shape, dtype="int32")
    at = np.arange(shape[0])[None]
    embedded = layers.Embedding(9, 16)(tokens) + layers.Embedding(16, 16)(at)
    if task.model == "recurrent":
        read = layers.GRU(32, unroll=True)(embedded)
    else:
        attended = layers.MultiHeadAttention(2, 16)(embedded, embedded)
        together = layers.LayerNormalization()(embedded + attended)
        dense = layers.Dense(32, "relu")(together)
        read = layers.Flatten()(dense)
    return keras.Model(tokens, last(read))


class Loop:
    """Trains a task at given rates, chunk by chunk in one graph; serves one thread."""

    building = threading.Lock()

    def __init__(self, task: Task, data: Arrays) -> None:
        import keras
        import tensorflow as tf

        self.task, self.data, self.tf = task, data, tf
        with self.building:
            self.model = build(task, data, 0)
            classes = {
                "sgd": keras.optimizers.SGD,
                "adam": keras.optimizers.Adam,
                "adamw": keras.optimizers.AdamW,
                "rmsprop": keras.optimizers.RMSprop,
            }
            settings = {key: value for key, value in task.optimizer.items() if key != "type"}
            self.optimizer = classes[task.optimizer["type"]](0.0, **settings)
            self.optimizer.build(self.model.trainable_variables)
            self.fresh = [variable.numpy() for variable in self.optimizer.variables]
            self.x, self.y = tf.constant(data.x), tf.constant(data.y)
            self.steps = tf.function(self._steps, autograph=False).get_concrete_function(
                tf.TensorSpec([None], tf.int32), tf.TensorSpec([None], tf.float32)
            )
            self.validate = tf.function(self._validate, autograph=False).get_concrete_function()

    def loss(self, y: Any, out: Any) -> Any:
        """Return the mean loss of outputs."""
        tf = self.tf
        if self.task.data in REGRESSION:
            return tf.reduce_mean(tf.square(out[:, 0] - y))
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, out))

    def _steps(self, order: Any, rates: Any) -> Any:
        tf, size = self.tf, self.task.batch_size

        def step(i: Any, losses: Any) -> Any:
            picked = order[i * size : (i + 1) * size]
            with tf.GradientTape() as tape:
                out = self.model(tf.gather(self.x, picked), training=True)
                loss = self.loss(tf.gather(self.y, picked), out)
            gradients = tape.gradient(loss, self.model.trainable_variables)
            self.optimizer.learning_rate.assign(rates[i])
            self.optimizer.apply(gradients, self.model.trainable_variables)
            return i + 1, losses.write(i, loss)

        count = tf.shape(rates)[0]
        _, losses = tf.while_loop(
            lambda i, _: i < count, step, (0, tf.TensorArray(tf.float32, count)),
            parallel_iterations=1,
        )  # fmt: skip
        return losses.stack()

    def _validate(self) -> Any:
        tf = self.tf
        out = self.model(tf.constant(self.data.x_val), training=False)
        y = tf.constant(self.data.y_val)
        if self.task.data in REGRESSION:
            return self.loss(y, out), tf.constant(0.0)
        hits = tf.equal(tf.argmax(out, axis=-1, output_type=tf.int32), y)
        return self.loss(y, out), tf.reduce_mean(tf.cast(hits, tf.float32))

    def start(self, seed: int) -> None:
        """Begin at the weights of a seed, with a new optimizer."""
        with self.building:
            for variable, value in zip(
                self.model.variables, build(self.task, self.data, seed).variables, strict=True
            ):
                variable.assign(value)
        for variable, value in zip(self.optimizer.variables, self.fresh, strict=True):
            variable.assign(value)

    def order(self, steps: int, seed: int) -> Any:
        """Return the samples of so many whole batches."""
        whole = len(self.data.x) // self.task.batch_size * self.task.batch_size
        epochs = math.ceil(steps * self.task.batch_size / whole)
        each = [np.random.default_rng([seed, epoch]).permutation(len(self.data.x))[:whole]
                for epoch in range(epochs)]  # fmt: skip
        return np.concatenate(each)[: steps * self.task.batch_size].astype(np.int32)

    def run(self, rates: Any, seed: int) -> tuple[float | None, float | None]:
        """Train at the rates; return validation loss and accuracy, None where it broke down."""
        self.start(seed)
        losses = self.steps(self.order(len(rates), seed), np.asarray(rates, np.float32)).numpy()
        loss, accuracy = (float(value) for value in self.validate())
        if not (np.isfinite(losses).all() and math.isfinite(loss)):
            return None, None
        return round(loss, 5), round(accuracy, 5)

    def sweep(self, rates: Any, seed: int) -> list[float | None]:
        """Return every batch loss of a sweep, whatever a stop rule says."""
        self.start(seed)
        losses = self.steps(self.order(len(rates), seed), np.asarray(rates, np.float32)).numpy()
        return [float(f"{loss:.5g}") if math.isfinite(loss) else None for loss in losses]


def run_rates(schedule: str, lr: float, steps: int) -> Any:
    """Return the rates of a run: constant, or 1cycle with its peak at `lr`."""
    if schedule == "constant":
        return np.full(steps, lr)
    return one_cycle(np.arange(steps), max_lr=lr, over=steps)


def steps_of(task: Task, data: Arrays) -> int:
    """Return the steps of a whole run."""
    return len(data.x) // task.batch_size * task.epochs


def measured(task: Task, data_dir: Path | None) -> dict[str, Any]:
    """Return a task with its sweeps and its truth; two runs side by side."""
    data = arrays(task.data, data_dir)
    per_epoch, whole = len(data.x) // task.batch_size, steps_of(task, data)
    swept = sweep.rates(min_lr=1e-6, max_lr=10.0,
                        steps=min(max(per_epoch, STEPS_SWEPT[0]), STEPS_SWEPT[1]))  # fmt: skip
    jobs: dict[Any, Callable[[Loop], Any]] = {}
    for seed in range(SWEEP_SEEDS):
        jobs["sweep", seed] = functools.partial(_sweep, swept, seed)
    for schedule in ("constant", "one_cycle"):
        for lr in GRID:
            for seed in range(TRUTH_SEEDS):
                jobs[schedule, lr, seed] = functools.partial(
                    _run, run_rates(schedule, lr, whole), 100 + seed
                )
    found = side_by_side(task, data, jobs)
    truth = {
        schedule: [[found[schedule, lr, seed] for seed in range(TRUTH_SEEDS)] for lr in GRID]
        for schedule in ("constant", "one_cycle")
    }
    return {
        "name": task.name,
        **task._asdict(),
        "chance": data.chance,
        "lr": [float(f"{rate:.6g}") for rate in swept],
        "loss_by_seed": [found["sweep", seed] for seed in range(SWEEP_SEEDS)],
        "grid": list(GRID),
        **truth,
    }


def _sweep(rates: Any, seed: int, loop: Loop) -> Any:
    return loop.sweep(rates, seed)


def _run(rates: Any, seed: int, loop: Loop) -> Any:
    return loop.run(rates, seed)


def side_by_side(
    task: Task, data: Arrays, jobs: dict[Any, Callable[[Loop], Any]], workers: int = 2
) -> dict[Any, Any]:
    """Do all jobs, `workers` at a time."""
    waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()
    for key in jobs:
        waiting.put(key)
    found: dict[Any, Any] = {}

    def work() -> None:
        loop = Loop(task, data)
        while True:
            try:
                key = waiting.get_nowait()
            except queue.Empty:
                return
            found[key] = jobs[key](loop)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def prepare() -> None:
    """Set TensorFlow as lrlab's engine does: one thread a run."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)


def main() -> None:
    """Train the tasks that the file does not hold yet, and write it after each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    folder = os.environ.get("LRLAB_DATA_DIR")
    parser.add_argument("--data-dir", type=Path, default=Path(folder) if folder else None)
    parser.add_argument("--to", type=Path, default=STORED)
    arguments = parser.parse_args()
    prepare()
    done = json.loads(arguments.to.read_text()) if arguments.to.is_file() else []
    for task in (*DEVELOPMENT, *HELD_OUT):
        if task.name in [stored["name"] for stored in done]:
            continue
        began = time.perf_counter()
        done.append(measured(task, arguments.data_dir))
        text = json.dumps(done, separators=(",", ":")).replace('},{"name"', '},\n{"name"')
        arguments.to.write_text(text + "\n")
        print(f"{task.name}: {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
