"""Does Python run inside a web browser? The one place that asks.

There (Pyodide, which calls its platform "emscripten") a program has one thread and no other processes, files live in
memory, and what is written into a mapped file is lost without a word. What that means stands where it matters.
"""

import sys


def in_browser() -> bool:
    """True inside a browser, and under Node, which is the same without a page."""
    return sys.platform == "emscripten"
