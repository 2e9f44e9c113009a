"""Without numba and threadpoolctl everything imports and works; each case is a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BLOCKER = Path(__file__).parents[1] / "without_numba"
PACKAGE = Path(__file__).parents[2]
HOUSE = """
import sys
import numpy as np
from batik_scratch.ops import jit, threads

@jit.compiled(parallel=True)
def add_one(x):
    for i in jit.prange(x.size):
        x[i] += 1
    return x

with threads.one_blas_thread(), threads.one_blas_thread():
    threads.use(5)
    counts = [threads.count(), threads.allowed()]
found = {
    "reason": jit.plain_reason(), "cold": jit.cache_is_cold(), "prange": jit.prange is range, "counts": counts,
    "itself": add_one.py_func is add_one, "two": add_one(np.ones(2)).tolist(), "numba": "numba" in sys.modules,
}
"""
TRAINING = """
import numpy as np
from batik_scratch import nn
model = nn.paper_cnn((24, 24, 3), random_state=0, algorithm="auto")
model.compile(nn.Adam())
x, y = np.random.default_rng(0).random((6, 24, 24, 3), np.float32), np.arange(6) % 3
history = model.fit(x, y, batch_size=4, epochs=2, verbose=0)
predicted = model.predict(x)
found = {"predicted": predicted.tolist(), "dtype": str(predicted.dtype)}
"""


def report(program, paths=(), **variables):
    """What the program finds if these folders come first on the path."""
    left_out = ("BATIK_SCRATCH_PLAIN", "PYTHONPATH")
    env = {name: value for name, value in os.environ.items() if name not in left_out} | variables
    env["PYTHONPATH"] = os.pathsep.join(map(str, [*paths, PACKAGE]))
    code = f"{program}\nimport json; print(json.dumps(found))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def is_plain(found):
    """All that makes plain mode, whatever its reason."""
    assert not found["cold"] and found["prange"] and found["itself"] and not found["numba"]
    assert found["two"] == [2, 2] and found["counts"] == [1, 1]


def test_a_variable_asks_for_plain_mode():
    found = report(HOUSE, BATIK_SCRATCH_PLAIN="1")
    is_plain(found)
    assert found["reason"] == "BATIK_SCRATCH_PLAIN is set"


def test_without_numba_and_threadpoolctl_the_reason_is_said():
    found = report(HOUSE, [BLOCKER])
    is_plain(found)
    assert found["reason"] == "numba cannot be imported: No module named 'numba' (the tests block it)"


def test_a_numba_that_refuses_this_python_is_like_none(tmp_path):
    (tmp_path / "numba.py").write_text("raise RuntimeError('Numba needs\\nPython 2.7')")
    found = report(HOUSE, [tmp_path])
    assert found["reason"] == "numba cannot be imported: Numba needs Python 2.7"
    assert found["counts"] == [1, 1] and found["itself"]


def test_both_modes_train_to_the_same_network():
    plain, compiled = report(TRAINING, [BLOCKER]), report(TRAINING)
    assert plain["dtype"] == compiled["dtype"] == "float32"
    for one, other in zip(plain["predicted"], compiled["predicted"], strict=True):
        assert one == pytest.approx(other, abs=1e-4) and sum(one) == pytest.approx(1, abs=1e-5)
