"""How fast this machine trains, predicts and explains, layer by layer and beside the programs that are installed.

`session` is what the command calls. It, `layers`, `chart` and `warmup` are imported by their own names: a framework's
process imports this package as well, and its peak memory must not count numba or matplotlib.
"""

from .compare import compare, installed_peers
from .comparison import Comparison
from .programs import OURS, WORK

__all__ = ["OURS", "WORK", "Comparison", "compare", "installed_peers"]
