"""Reading what may be hostile, writing all or nothing.

Nothing here knows what a file means.
"""
