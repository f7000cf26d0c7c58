"""Benchmark cases: ``make bench``."""
