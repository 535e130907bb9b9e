"""Schedules as code that gives the same rates without lrlab.

The code is the schedules' own; this wing puts it together.
"""
