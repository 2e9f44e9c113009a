"""Programs that only predict: they read the ONNX file of this package's network, and know no gradient."""

import os
from pathlib import Path
from typing import Any

from .batches import Calls, data, rows
from .start import GRAPH


def onnxruntime(batch: int, size: int, network: str, start: Path | None) -> Calls:
    """ONNX Runtime on the CPU, with as many threads as the others have and the batch told beforehand."""
    import onnxruntime as runtime

    assert start is not None
    options: Any = runtime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    options.inter_op_num_threads = 1  # the network is a row: nothing in it could run side by side
    options.add_free_dimension_override_by_name("N", batch)
    session: Any = runtime.InferenceSession(str(start / GRAPH), options, providers=["CPUExecutionProvider"])
    x, _ = data(batch, size)
    chosen = rows(batch)
    return {"inference": lambda: session.run(None, {"images": x[next(chosen)]})[0]}


def openvino(batch: int, size: int, network: str, start: Path | None) -> Calls:
    """OpenVINO on the CPU, compiled for this batch, in float32 like the others: by itself it may take bfloat16."""
    import openvino as runtime

    assert start is not None
    core: Any = runtime.Core()
    graph: Any = core.read_model(str(start / GRAPH))
    graph.reshape([batch, size, size, 3])
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": int(os.environ["OMP_NUM_THREADS"]),
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request: Any = core.compile_model(graph, "CPU", settings).create_infer_request()
    x, _ = data(batch, size)
    chosen = rows(batch)
    return {"inference": lambda: request.infer([x[next(chosen)]], share_inputs=True, share_outputs=True)[0]}
