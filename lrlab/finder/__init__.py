"""The learning-rate finder: a sweep's curve, what it suggests, how short runs verify it.

Pure NumPy: nothing here trains, reads or draws.
"""
