"""lrlab in a Keras script of your own: schedules, callbacks, the finder for any model.

Each needs TensorFlow's or any of Keras' backends, as it says.
"""
