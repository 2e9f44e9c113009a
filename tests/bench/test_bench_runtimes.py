"""ONNX Runtime and OpenVINO: what they are told, with fakes; and what they answer, where they are installed."""

import sys
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from batik_scratch.bench import programs, start

BATCH, SIZE = 3, 30


@pytest.fixture
def told(monkeypatch, tmp_path):
    """What the two fakes were told; each answers with the images that it got."""
    log = []

    class Options:
        def add_free_dimension_override_by_name(self, name, size):
            log.append((name, size))

    def session(path, options, providers):
        log.append((path, options.intra_op_num_threads, options.inter_op_num_threads, providers))
        return SimpleNamespace(run=lambda outputs, given: [given["images"]])

    def request(graph, device, settings):
        log.append((graph.path, graph.shape, device, settings))
        return SimpleNamespace(create_infer_request=lambda: SimpleNamespace(infer=lambda given, **_: given))

    class Core:
        compile_model = staticmethod(request)

        def read_model(self, path):
            graph = SimpleNamespace(path=path)
            graph.reshape = lambda shape: setattr(graph, "shape", shape)
            return graph

    fake = SimpleNamespace(SessionOptions=Options, InferenceSession=session)
    monkeypatch.setitem(sys.modules, "onnxruntime", fake)
    monkeypatch.setitem(sys.modules, "openvino", SimpleNamespace(Core=Core))
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    return log


@pytest.mark.parametrize("name", ["ONNX Runtime", "OpenVINO"])
def test_a_runtime_predicts_the_same_batches_and_does_nothing_else(name, told, tmp_path):
    calls = programs.PROGRAMS[name].calls(BATCH, SIZE, "paper", tmp_path)
    assert tuple(calls) == programs.PROGRAMS[name].work == ("inference",)
    x, _ = programs.data(BATCH, SIZE)
    for rows in islice(programs.rows(BATCH), 7):
        np.testing.assert_array_equal(calls["inference"](), x[rows])


def test_onnx_runtime_has_the_threads_of_all_and_knows_the_batch(told, tmp_path):
    programs.PROGRAMS["ONNX Runtime"].calls(BATCH, SIZE, "paper", tmp_path)
    assert told == [("N", BATCH), (str(tmp_path / "network.onnx"), 7, 1, ["CPUExecutionProvider"])]


def test_openvino_has_the_threads_of_all_knows_the_batch_and_stays_with_float32(told, tmp_path):
    programs.PROGRAMS["OpenVINO"].calls(BATCH, SIZE, "paper", tmp_path)
    ((path, shape, device, settings),) = told
    assert (path, shape, device) == (str(tmp_path / "network.onnx"), [BATCH, SIZE, SIZE, 3], "CPU")
    assert settings["INFERENCE_NUM_THREADS"] == 7 and settings["INFERENCE_PRECISION_HINT"] == "f32"


@pytest.mark.peers
@pytest.mark.slow
@pytest.mark.parametrize("network", ["paper", "cloth"])
@pytest.mark.parametrize("name", ["ONNX Runtime", "OpenVINO"])
def test_the_real_one_gives_this_packages_numbers(name, network, tmp_path, monkeypatch):
    for module in programs.PROGRAMS[name].modules:
        pytest.importorskip(module)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    start.write_start(tmp_path, BATCH, SIZE, network, graph=True)
    calls = programs.PROGRAMS[name].calls(BATCH, SIZE, network, tmp_path)
    assert start.difference(tmp_path, "inference", calls["inference"]()) < 1e-5
