"""The lab: a page on which every number of a network can be seen, forwards and backwards, and changed.

`feed` makes what the page is about, `recorded` is the network that comes with the package, `page/` is the page itself.
"""

from .write import write_lab

__all__ = ["write_lab"]
