"""The answers, one file each: what `exercise solution` prints, and, without the bodies, what `exercise start` writes.

A class here has no docstring because both commands give it the one of the package's own class: see ../text.py.
"""
