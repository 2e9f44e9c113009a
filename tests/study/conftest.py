"""One tiny study, run once and looked at by many tests."""

import dataclasses

import pytest

from batik_scratch.study import TwoStageConfig, run_two_stage

TINY = TwoStageConfig(image_size=32, draw_counts=(16, 14, 12), epochs=2, seed=5)


@pytest.fixture(scope="session")
def run_tiny(tmp_path_factory):
    def run(**changes):
        out = tmp_path_factory.mktemp("run") / "run"
        return run_two_stage(dataclasses.replace(TINY, **changes), out, say=lambda text: None, verbose=0)

    return run


@pytest.fixture(scope="session")
def tiny_run(run_tiny):
    return run_tiny()
