"""How an experiment is judged: loss and metric as it states them, and its own code, once loaded."""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lrlab import metric as metrics
from lrlab.metric import Metric

if TYPE_CHECKING:
    from lrlab.tasks.data_source import DataSource
    from lrlab.tasks.examining import Examined
    from lrlab.tasks.own_model import OwnFunction, OwnModel
    from lrlab.tasks.own_optimizer import CompiledOptimizer, GivenOptimizer, OwnOptimizer
    from lrlab.tasks.task import Task

LOSSES = (
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_hinge", "cosine_similarity", "dice", "hinge",
    "huber", "kl_divergence", "log_cosh", "mae", "mape", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "mse", "msle", "poisson", "sparse_categorical_crossentropy", "squared_hinge", "tversky",
)  # fmt: skip
"""The losses that Keras knows by name; a test compares them with Keras."""

SCALABLE = ("mean_absolute_error", "mae", "mean_squared_error", "mse")
"""Losses that are the same of standardised amounts, in another unit."""

METRICS = (
    "acc", "accuracy", "auc", "binary_accuracy", "binary_crossentropy", "categorical_accuracy",
    "categorical_crossentropy", "categorical_hinge", "concordance_correlation",
    "cosine_similarity", "f1_score", "f_beta_score", "false_negatives", "false_positives", "hinge",
    "kl_divergence", "log_cosh_error", "mae", "mape", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error",
    "mse", "msle", "pearson_correlation", "poisson", "precision", "r2_score", "recall",
    "root_mean_squared_error", "sparse_categorical_accuracy", "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy", "squared_hinge", "top_k_categorical_accuracy",
    "true_negatives", "true_positives",
)  # fmt: skip
"""The metrics that Keras makes of a name alone; a test compares them with Keras."""

_WANTED_BY = {
    "categorical_crossentropy": ("one-hot", "one-hot rows"),
    "categorical_focal_crossentropy": ("one-hot", "one-hot rows"),
    "sparse_categorical_crossentropy": ("classification tokens", "class numbers"),
}


def loss_misfit(loss: str | None, kind: str) -> str | None:
    """Return why a loss cannot be had of targets of a kind, None if it can as far as is known."""
    kinds, wanted = _WANTED_BY.get(loss or "", (kind, ""))
    if kind in kinds.split() or kind == "several":
        return None
    return f"`{loss}` is of {wanted}, and the targets ask for {kind}"


@dataclass(frozen=True)
class OwnCode:
    """The code of an experiment, loaded with consent; each part is None where it has none.

    With it comes whether `onednn` was chosen to run a convolutional model.
    """

    model: "OwnModel | None" = None
    loss: "OwnFunction | None" = None
    measure: "OwnFunction | None" = None
    optimizer: "OwnOptimizer | CompiledOptimizer | GivenOptimizer | None" = None
    onednn: bool = False
    _known: "dict[Any, Examined]" = field(default_factory=dict, compare=False)

    def examined(self, source: "DataSource", stated: "Task | None") -> "Examined":
        """Return what is known of the model once it has been built; it is built for that once.

        Raises:
            CodeError: If it does not fit the data.
        """
        from lrlab.tasks.examining import examine

        assert self.model is not None
        key = (source, None if stated is None else repr(stated.identity()))
        if key not in self._known:
            self._known[key] = examine(self.model, source, stated)
        return self._known[key]

    def identity(self) -> dict[str, Any]:
        """Return what tells this code from other code, as JSON, by the keys that name it."""
        parts = {
            "model": self.model,
            "loss": self.loss,
            "metric": self.measure,
            "optimizer": self.optimizer,
        }
        found = {key: part.identity() for key, part in parts.items() if part is not None}
        return found | ({"onednn": True} if self.onednn else {})


def stated(task: "Task", loss: str | None, metric: Any, own: OwnCode) -> "Task | None":
    """Return the task with the loss and the metric that an experiment states, None without any.

    Args:
        task: What the targets ask for.
        loss: The loss as the experiment states it, None if it does not.
        metric: The metric likewise: a name, or an object with `name` and `mode`.
        own: The experiment's own code.

    Raises:
        ValueError: If nothing says which way of a metric is better.
    """
    if loss is None and metric is None:
        return None
    found = task if loss is None else replace(_asked_by(loss, task), loss=own.loss or loss)
    if metric is None:
        return found
    return replace(found, metric=_metric(metric, own), measure=own.measure, of_output=None)


_OF_AMOUNTS = ("mae", "mape", "mse", "msle", "huber", "log_cosh", "poisson")


def _asked_by(loss: str, task: "Task") -> "Task":
    """Return the task where a loss says what the targets alone do not: whole numbers as amounts."""
    from lrlab.tasks.task import of_kind

    amounts = loss in _OF_AMOUNTS or loss.startswith("mean_")
    return of_kind("regression", 1) if amounts and task.kind == "classification" else task


def _metric(stated: Any, own: OwnCode) -> Metric:
    if isinstance(stated, str):
        name, mode = stated, None
    else:
        name, mode = stated.name, stated.mode
    if own.measure is not None:
        name = own.measure.name
    return metrics.known(name, mode)
