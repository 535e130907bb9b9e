"""Statistics over runs: pure functions, arrays and results in, dataclasses out.

Nothing here reads files, trains or draws.
"""
