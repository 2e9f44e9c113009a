"""Machines that run cells: this one, or a Dask cluster."""
