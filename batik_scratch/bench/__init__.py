"""How fast this machine trains, predicts and explains, layer by layer and beside the frameworks that are installed.

`layers` and `warmup` are imported by their own names: a framework's process imports this package as well, and its peak
memory must not count numba.
"""

from .compare import OURS, Comparison, compare, installed_peers
from .programs import WORK

__all__ = ["OURS", "WORK", "Comparison", "compare", "installed_peers"]
