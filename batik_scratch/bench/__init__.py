"""How fast this machine trains, predicts and explains, layer by layer and beside the frameworks that are installed."""

from .compare import OURS, Comparison, compare, installed_peers
from .layers import layer_table
from .programs import WORK
from .warmup import warm_up

__all__ = ["OURS", "WORK", "Comparison", "compare", "installed_peers", "layer_table", "warm_up"]
