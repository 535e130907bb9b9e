"""All that lies in a results directory: runs, checkpoints, sweeps, the comparison, the lock.

What is read back is checked first; nothing here trains or draws.
"""
