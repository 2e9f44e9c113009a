"""The commands, one file each: what can be typed, and what it calls. `data/draw.py` is `batik-scratch data draw`.

Every file has two functions. `add` says the options, and must be quick: `--help` calls all of them. `call` does the
work and returns the exit code; what is slow to import is imported inside it.
"""
