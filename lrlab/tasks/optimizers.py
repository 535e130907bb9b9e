"""Optimizers: what a config says of each, and the Keras object that it makes.

Keras is imported when an optimizer is built.
"""

from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field

from lrlab.fields import Model, PositiveRate, Rate

Beta = Annotated[float, Field(ge=0, lt=1)]


class Buildable(Model):
    """An optimizer's settings, named as the arguments of Keras' own class `keras_name`."""

    keras_name: ClassVar[str]

    @classmethod
    def named(cls) -> str:
        """Return the `type` that a config names it by."""
        return str(get_args(cls.model_fields["type"].annotation)[0])

    def build(self) -> Any:
        """Return the Keras optimizer.

        The learning rate is assigned at every step, so the one given here is never used.
        """
        from keras import optimizers

        settings = self.model_dump(exclude={"type"}, exclude_none=True)
        return getattr(optimizers, self.keras_name)(learning_rate=0.0, **settings)


class Sgd(Buildable):
    """Stochastic gradient descent, with momentum (0: plain) and Nesterov's variant of it."""

    keras_name = "SGD"
    type: Literal["sgd"]
    momentum: Beta = Field(0.0, description="the share of the last update that is kept")
    nesterov: bool = Field(False, description="look ahead along the momentum")
    weight_decay: Rate | None = Field(None, description="decoupled weight decay per step")


class Adaptive(Buildable):
    """What the optimizers of the Adam family share."""

    beta_1: Beta = Field(0.9, description="decay of the mean gradient")
    beta_2: Beta = Field(0.999, description="decay of the mean squared gradient")
    epsilon: PositiveRate = Field(1e-7, description="keeps the division finite")
    weight_decay: Rate | None = Field(None, description="decoupled weight decay per step")


class Adam(Adaptive):
    """Adam (Kingma and Ba, 2014)."""

    keras_name = "Adam"
    type: Literal["adam"]


class AdamW(Adaptive):
    """Adam with decoupled weight decay (Loshchilov and Hutter, 2017)."""

    keras_name = "AdamW"
    type: Literal["adamw"]
    weight_decay: Rate | None = Field(0.004, description="decoupled weight decay per step")


class Nadam(Adaptive):
    """Adam with Nesterov momentum (Dozat, 2016)."""

    keras_name = "Nadam"
    type: Literal["nadam"]
    momentum_decay: PositiveRate = Field(
        1.0, description="how fast the momentum warms up; 1 is Keras', 0.004 the paper's, PyTorch's"
    )

    def build(self) -> Any:
        """Return Keras' own Nadam, or one with the `momentum_decay` that Keras 3 has dropped."""
        from keras import optimizers

        settings = self.model_dump(exclude={"type", "momentum_decay"}, exclude_none=True)
        if self.momentum_decay != 1:
            return _scheduled_nadam(self.momentum_decay, learning_rate=0.0, **settings)
        return optimizers.Nadam(learning_rate=0.0, **settings)


class RmsProp(Buildable):
    """RMSprop (Tieleman and Hinton, 2012)."""

    keras_name = "RMSprop"
    type: Literal["rmsprop"]
    rho: Beta = Field(0.9, description="decay of the mean squared gradient")
    momentum: Beta = Field(0.0, description="the share of the last update that is kept")
    epsilon: PositiveRate = Field(1e-7, description="keeps the division finite")
    weight_decay: Rate | None = Field(None, description="decoupled weight decay per step")


KINDS = (Sgd, Adam, AdamW, Nadam, RmsProp)
"""Every optimizer of lrlab's own."""

Optimizer = Annotated[Sgd | Adam | AdamW | Nadam | RmsProp, Field(discriminator="type")]


def _scheduled_nadam(momentum_decay: float, **settings: Any) -> Any:
    """Return a Keras Nadam optimizer whose momentum warms up as slowly as `momentum_decay` says.

    The momentum of step t, counted from 1, is `beta_1 * (1 - 0.5 * 0.96**(t * momentum_decay))`.
    Keras 3 computes it with a `momentum_decay` of 1; Dozat, PyTorch (`NAdam`) and tf.keras before
    2.11, which the book's notebook ran on, with 0.004.

    Args:
        momentum_decay: How fast the momentum approaches `beta_1`, > 0.
        settings: Other arguments of `keras.optimizers.Nadam`.

    References:
        Dozat, Incorporating Nesterov Momentum into Adam (2016),
        https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ
    """
    from keras import ops, optimizers

    class ScheduledNadam(optimizers.Nadam):  # type: ignore[misc]  # Keras has no types.
        """Keras' Nadam with another momentum of each step; its state is the same."""

        def _backend_update_step(
            self, grads: list[Any], trainable_variables: list[Any], learning_rate: Any
        ) -> None:
            # Keras computes these numbers again for every variable; once per step is enough.
            dtype = self._u_product.dtype
            step = ops.cast(self.iterations + 1, dtype)
            self._mu = self._momentum_at(step)
            self._next_mu = self._momentum_at(step + 1)
            self._bias_2 = 1 - ops.power(ops.cast(self.beta_2, dtype), step)
            self._u_product.assign(self._u_product * self._mu)
            for grad, variable in zip(grads, trainable_variables, strict=True):
                self.update_step(grad, variable, learning_rate)

        def _momentum_at(self, step: Any) -> Any:
            decay = ops.power(ops.cast(0.96, step.dtype), step * momentum_decay)
            return self.beta_1 * (1 - 0.5 * decay)

        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            index = self._get_variable_index(variable)
            mean, square = self._momentums[index], self._velocities[index]
            self.assign_add(mean, (gradient - mean) * (1 - self.beta_1))
            self.assign_add(square, (ops.square(gradient) - square) * (1 - self.beta_2))
            product = ops.convert_to_tensor(self._u_product)
            nesterov = mean * (self._next_mu / (1 - product * self._next_mu))
            nesterov += gradient * ((1 - self._mu) / (1 - product))
            root = ops.sqrt(square / self._bias_2) + self.epsilon
            self.assign_sub(variable, nesterov * learning_rate / root)

    return ScheduledNadam(**settings)
