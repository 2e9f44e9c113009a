"""The places where programs of this kind break: shared and missing caches, one thread, worker processes."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from joblib import Parallel, delayed

import batik_scratch
from batik_scratch import nn

TRAIN = """
import hashlib, numpy as np
from batik_scratch import nn
rng = np.random.default_rng(0)
x, y = rng.random((12, 30, 30, 3), np.float32), np.arange(12) % 3
model = nn.paper_cnn((30, 30, 3), 3, random_state=0)
model.compile(nn.Adam(0.01))
model.fit(x, y, batch_size=6, epochs=2, verbose=0)
print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
"""


def start(folder, **changes):
    return subprocess.Popen(
        [sys.executable, "-c", TRAIN],
        cwd=folder,
        env=os.environ | changes,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ends_with(process):
    out, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return out.strip(), errors


@pytest.mark.slow
def test_four_processes_share_one_empty_cache_and_agree(tmp_path):
    processes = [start(tmp_path, NUMBA_CACHE_DIR=str(tmp_path / "numba")) for _ in range(4)]
    assert len({ends_with(process)[0] for process in processes}) == 1
    assert list((tmp_path / "numba").rglob("*.nbi"))


@pytest.mark.slow
def test_one_thread_and_a_place_where_nothing_can_be_written_give_the_same_bits(tmp_path):
    usual, _ = ends_with(start(tmp_path))
    one, _ = ends_with(start(tmp_path, NUMBA_NUM_THREADS="1", OMP_NUM_THREADS="1"))
    # a package inside a zip file, and no home: read-only for root too
    package = shutil.make_archive(
        str(tmp_path / "package"), "zip", Path(batik_scratch.__file__).parents[1], "batik_scratch"
    )
    nowhere = {name: "/proc/nowhere" for name in ("NUMBA_CACHE_DIR", "HOME", "XDG_CACHE_HOME", "BATIK_SCRATCH_CACHE")}
    unwritable, errors = ends_with(start(tmp_path, PYTHONPATH=package, **nowhere))
    assert usual == one == unwritable
    assert "Set NUMBA_CACHE_DIR" in errors


def digest_of_predictions(model, x):
    return hashlib.sha256(model.predict(x).tobytes()).hexdigest()


def test_worker_processes_predict_the_same(tmp_path):
    x = np.random.default_rng(0).random((9, 30, 30, 3), np.float32)
    model = nn.paper_cnn((30, 30, 3), 3, random_state=1)
    here = digest_of_predictions(model, x)
    assert Parallel(2, backend="loky")(delayed(digest_of_predictions)(model, x) for _ in range(3)) == [here] * 3
