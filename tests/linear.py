"""An engine without TensorFlow, which a process of its own can load in no time."""

import numpy as np

from lrlab.analysis.chance import best_guess
from lrlab.training.engines.engine import Engine, Score, Variables


class LinearEngine(Engine):
    """Softmax regression by plain gradient descent, in NumPy: an engine that starts in no time."""

    def __init__(self, batch_size: int = 32, images: int = 100, classes: int = 3) -> None:
        rng = np.random.default_rng(7)
        self.batch_size, self.images = batch_size, images
        self._classes = classes
        labels = np.arange(images + 20) % classes
        pixels = rng.normal(size=(classes, 5))[labels] + rng.normal(size=(images + 20, 5))
        self._x, self._y = pixels[:images], labels[:images]
        self._x_val, self._y_val = pixels[images:], labels[images:]
        self.guess = best_guess(self._y_val)
        self.started: list[int] = []
        self.start(0)

    def start(self, seed):
        self.started.append(seed)
        self._correct = 0
        rng = np.random.default_rng(seed)
        self._weights = rng.normal(0, 0.1, (5, self._classes)).astype(np.float32)

    def train(self, order, rates, momenta=None):
        losses = np.zeros(len(rates), np.float32)
        for step, rate in enumerate(rates):
            picked = order[step * self.batch_size : (step + 1) * self.batch_size]
            x, y = self._x[picked], self._y[picked]
            probabilities = self._probabilities(x)
            losses[step] = -np.log(probabilities[np.arange(len(y)), y]).mean()
            self._correct += int((probabilities.argmax(axis=1) == y).sum())
            error = probabilities - np.eye(self._classes)[y]
            self._weights = (self._weights - rate * x.T @ error / len(y)).astype(np.float32)
        return losses

    def take_score(self, examples):
        found, self._correct = self._correct / examples, 0
        return found

    def evaluate(self, split):
        if split == "test":
            return None
        x, y = (self._x, self._y) if split == "train" else (self._x_val, self._y_val)
        probabilities = self._probabilities(x)
        loss = -np.log(probabilities[np.arange(len(y)), y]).mean()
        return Score(float(loss), float((probabilities.argmax(axis=1) == y).mean()))

    def variables(self):
        return Variables((self._weights.copy(),), (), (np.int32(self._correct),))

    def restore(self, values):
        if [value.shape for value in values.model] != [self._weights.shape] or values.optimizer:
            raise ValueError("it is of another model or optimizer")
        self._weights = values.model[0].copy()
        self._correct = int(values.tally[0])

    def _probabilities(self, x):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            logits = x @ self._weights
            grown = np.exp(logits - logits.max(axis=1, keepdims=True))
            return grown / grown.sum(axis=1, keepdims=True)
