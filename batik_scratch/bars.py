"""Progress bars: tqdm's, which watches over its bars from a thread, and must not try where none can be started."""

from tqdm import tqdm

from .browser import in_browser

__all__ = ["tqdm"]

if in_browser():
    tqdm.monitor_interval = 0  # it then warns of nothing
