"""A clock that goes forward only by what a test says, in place of the machine's."""

from types import SimpleNamespace


class Clock:
    """`perf_counter` tells the time, `pass_` lets some go by, `sleep` too and notes it."""

    def __init__(self):
        self.now, self.slept = 1000.0, []

    def perf_counter(self):
        return self.now

    def pass_(self, seconds):
        self.now += seconds

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds

    def module(self):
        """What can stand for the module `time`."""
        return SimpleNamespace(perf_counter=self.perf_counter, sleep=self.sleep, monotonic=self.perf_counter)
