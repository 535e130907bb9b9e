"""Training: the loop of a run and of a sweep, the jobs that ask for them, the engines below them.

Only `engines.tensorflow` and what it stands on load TensorFlow.
"""
