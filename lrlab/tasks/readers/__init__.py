"""Readers of data sets: each returns what it found as `Given`, before it is split and scaled."""
