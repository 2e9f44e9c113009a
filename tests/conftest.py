"""What all tests share: reproducible hypothesis, a private cache."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "house", deadline=None, derandomize=True, max_examples=25, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("house")


@pytest.fixture(scope="session", autouse=True)
def private_cache(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("BATIK_SCRATCH_CACHE", str(tmp_path_factory.mktemp("cache")))
    yield
    patch.undo()
