"""The report of an experiment: one page and two tables, made from its results.json alone."""

from .write import found_in, write_experiment_report

__all__ = ["found_in", "write_experiment_report"]
