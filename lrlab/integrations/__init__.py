"""lrlab inside other tools: schedules, callbacks and the finder for Keras.

Only these and `training` import Keras when they are imported.
"""
