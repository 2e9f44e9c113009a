"""A clean stop: Ctrl-C or SIGTERM finishes the batch, saves, and then ends; asked twice, it ends at once."""

import signal
import sys
import threading
from types import FrameType, TracebackType


class StopRequest:
    """While the `with` block runs, the first signal only sets a note, which training reads after each batch.

    Leaving the block by KeyboardInterrupt keeps the signal's name, so that the exit code can tell (130 or 143). Outside
    the main thread, where Python allows no handlers, nothing is changed; a signal that is ignored (nohup) stays ignored.
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
