"""Pages of the lab and browsers to open them in, for all tests of this folder."""

from types import SimpleNamespace

import numpy as np
import pytest
from lab_browser import PHONE, Page, browser
from lab_networks import NETWORKS, in_float64, pictures

from batik_scratch.lab import write_lab
from batik_scratch.lab.feed import page_data


@pytest.fixture(scope="session")
def lab_file(tmp_path_factory):
    """The page as `batik-scratch lab` writes it."""
    return write_lab(tmp_path_factory.mktemp("lab") / "lab.html")


@pytest.fixture(scope="module")
def page(lab_file):
    """The page in a browser, on a desktop's screen."""
    with browser() as driver:
        yield Page(driver, lab_file)


@pytest.fixture(scope="module")
def phone(lab_file):
    """The page in a browser, 390 pixels wide."""
    with browser(PHONE) as driver:
        yield Page(driver, lab_file)


@pytest.fixture
def package(package_once):
    """What the package says of the same; a test may change the weights."""
    weights = package_once.model.get_weights()
    yield package_once
    package_once.model.set_weights(weights)


@pytest.fixture(scope="session")
def package_once():
    """What the package says of the same: the model in float64, the pictures x (N, H, W, C), their labels, traces."""
    model = in_float64(NETWORKS["shipped"]())
    told = page_data()
    x, labels = pictures(told), np.array([image["label"] for image in told["images"]])

    def trace(n, label=None):
        return model.trace(x[n : n + 1], labels[n : n + 1] if label is None else np.array([label]))

    return SimpleNamespace(model=model, x=x, labels=labels, trace=trace)
