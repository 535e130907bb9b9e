"""Nadam with the momentum schedule of its paper, which Keras 3 has left out."""

from typing import Any


def nadam(momentum_decay: float, **settings: Any) -> Any:
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
            # Keras computes these numbers anew for every variable; once a step is enough.
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
