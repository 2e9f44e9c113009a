"""A clean stop: Ctrl-C or SIGTERM finishes the batch, saves, and then ends; asked twice, it ends at once."""

import signal
import sys
import threading
from types import FrameType, TracebackType


class StopRequest:
    """While the `with` block runs, the first signal only leaves a note, which training reads after each batch.

    If the signal was SIGTERM, the KeyboardInterrupt that leaves the block says so, and the exit code can tell (143, not
    130). Outside the main thread Python allows no handlers, and nothing is changed there. A signal that was ignored
    before (by nohup, say) stays ignored.
    """

    def __init__(self) -> None:
        self._number = 0

    def asked(self) -> bool:
        """True once a signal came."""
        return self._number != 0

    def __enter__(self) -> "StopRequest":
        self._previous = {}
        if threading.current_thread() is threading.main_thread():
            wanted = [s for s in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(s) is not signal.SIG_IGN]
            self._previous = {s: signal.signal(s, self._note) for s in wanted}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        if isinstance(error, KeyboardInterrupt) and self._number == signal.SIGTERM:
            raise KeyboardInterrupt("SIGTERM") from None
        if kind is None and self._number:  # it came after the last batch
            raise KeyboardInterrupt(*(["SIGTERM"] if self._number == signal.SIGTERM else []))

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._number:
            raise KeyboardInterrupt
        self._number = number
        print("\nstopping after this batch; once more to stop at once", file=sys.stderr)
