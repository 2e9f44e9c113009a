"""What all tests share: plain mode, reproducible hypothesis, a private cache, kernels compiled on both cores."""

import os
import runpy
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# OpenMP's threads wait by turning in a loop, unless told before they start; beside another process that costs a core
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

if os.environ.get("BATIK_SCRATCH_PLAIN", "0") not in ("", "0"):
    # not only unused: numba and threadpoolctl cannot be imported, here and in the processes that tests start
    blocker = Path(__file__).with_name("without_numba") / "sitecustomize.py"
    runpy.run_path(str(blocker))
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(blocker.parent), *filter(None, paths)])

import batik_scratch
from batik_scratch.ops.jit import cache_is_cold, plain_reason

examples = 25 if plain_reason() is None else 8
settings.register_profile(
    "house", deadline=None, derandomize=True, max_examples=examples, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


def pytest_sessionstart(session):
    """A first run compiles for over a minute on one core: two processes, a dtype each, take half of that."""
    config = session.config
    all_tests = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.collectonly
    if hasattr(config, "workerinput") or not all_tests or not cache_is_cold():  # workers find what was compiled
        return
    program = [sys.executable, str(Path(__file__).with_name("compile_kernels.py"))]
    here = os.environ | {"PYTHONPATH": str(Path(batik_scratch.__file__).parents[1])}  # the very package that is tested
    started = [subprocess.Popen([*program, dtype], env=here) for dtype in ("float32", "float64")]
    assert [process.wait() for process in started] == [0, 0]


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("BATIK_SCRATCH_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()


@pytest.fixture(scope="session", autouse=True)
def ctrl_c():
    """A shell tells its background jobs to ignore Ctrl-C; tests about it must be able to hear it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
