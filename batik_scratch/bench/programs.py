"""The same work in every program: one network trained, used and explained, on the same images.

Each program is a function of (batch, size, network, start) that returns its calls: "step", one training step with Adam
on the next of five batches; "inference", probabilities or logits of the next batch; "saliency", the gradient of a class
score at the pixels. `start` is a folder with the weights to begin with (start.py); with None a program draws its own.
Picking the batch, and bringing it into the program's own layout, belongs to the work of all. Dropout is on in training.
Frameworks are imported inside, so that only those asked for are loaded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from . import runtimes
from .batches import CLASS, WORK, Calls, data, rows
from .networks import NETWORKS, fill_torch
from .start import read_weights

OURS = "batik_scratch"


def batik_scratch(batch: int, size: int, network: str = "paper", start: Path | None = None) -> Calls:
    """This package."""
    from .. import nn, saliency

    model = NETWORKS[network].ours(size)
    if start is not None:
        model.set_weights(read_weights(start))
    model.compile(nn.Adam(1e-3), nn.SparseCategoricalCrossentropy())
    x, y = data(batch, size)
    chosen = rows(batch)
    gradient = saliency.Gradient(model)

    def step() -> None:
        i = next(chosen)
        model.train_step(x[i], y[i])

    return {
        "step": step,
        "inference": lambda: model.predict(x[next(chosen)], batch_size=batch),
        "saliency": lambda: gradient.attribute(x[next(chosen)], target=CLASS, batch_size=batch),
    }


def torch_nchw(batch: int, size: int, network: str = "paper", start: Path | None = None) -> Calls:
    """PyTorch in its default layout, captum's Saliency."""
    return _torch(batch, size, network, start, channels_last=False)


def torch_channels_last(batch: int, size: int, network: str = "paper", start: Path | None = None) -> Calls:
    """PyTorch with channels last, usually its faster layout on a CPU."""
    return _torch(batch, size, network, start, channels_last=True)


def _torch(batch: int, size: int, network: str, start: Path | None, channels_last: bool) -> Calls:
    import os

    import torch
    from captum.attr import Saliency
    from torch import nn

    torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
    torch.manual_seed(0)
    layout: Any = torch.channels_last if channels_last else torch.contiguous_format
    layers = NETWORKS[network].torch(size)
    if start is not None:
        fill_torch(layers, read_weights(start))
    model: Any = nn.Sequential(*layers)
    model.to(memory_format=layout)
    optimizer, loss = torch.optim.Adam(model.parameters(), 1e-3), nn.CrossEntropyLoss()
    pixels, labels = data(batch, size)
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous(memory_format=layout)
    y = torch.from_numpy(labels)
    chosen = rows(batch)
    saliency = Saliency(model)

    def next_batch() -> tuple[Any, Any]:
        i = torch.from_numpy(next(chosen))
        return x[i].contiguous(memory_format=layout), y[i]

    def step() -> None:
        model.train()
        images, truth = next_batch()
        optimizer.zero_grad()
        loss(model(images), truth).backward()
        optimizer.step()

    def inference() -> object:
        model.eval()
        with torch.no_grad():
            return model(next_batch()[0])

    def explain() -> object:
        model.eval()
        return saliency.attribute(next_batch()[0].requires_grad_(), target=CLASS, abs=False)

    return {"step": step, "inference": inference, "saliency": explain}


def keras_tensorflow(batch: int, size: int, network: str = "paper", start: Path | None = None) -> Calls:
    """Keras on TensorFlow (oneDNN), its steps compiled to graphs."""
    import os

    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    import keras
    import tensorflow as tf

    threads = int(os.environ["OMP_NUM_THREADS"])
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    keras.utils.set_random_seed(0)
    model = keras.Sequential(NETWORKS[network].keras(size))
    if start is not None:
        model.set_weights(read_weights(start))  # in Keras' order, which is ours
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-3), loss, jit_compile=False)  # XLA is slower than oneDNN here
    x, y = data(batch, size)
    chosen = rows(batch)

    @tf.function
    def gradient(images: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            score = model(images, training=False)[:, CLASS]
        return tape.gradient(score, images)

    def step() -> None:
        i = next(chosen)
        model.train_on_batch(x[i], y[i])

    return {
        "step": step,
        "inference": lambda: model.predict_on_batch(x[next(chosen)]),
        "saliency": lambda: gradient(tf.constant(x[next(chosen)])).numpy(),
    }


class Program(NamedTuple):
    """calls: what it does; modules: that must be installed; versions: those it is named by; work: kinds that it can."""

    calls: Callable[[int, int, str, Path | None], Calls]
    modules: tuple[str, ...]
    versions: tuple[str, ...]
    work: tuple[str, ...] = WORK


PREDICTS = ("inference",)
PROGRAMS = {
    OURS: Program(batik_scratch, ("batik_scratch",), ("batik_scratch",)),
    "PyTorch NCHW": Program(torch_nchw, ("torch", "captum"), ("torch",)),
    "PyTorch channels_last": Program(torch_channels_last, ("torch", "captum"), ("torch",)),
    "Keras on TensorFlow": Program(keras_tensorflow, ("keras", "tensorflow"), ("keras", "tensorflow")),
    "ONNX Runtime": Program(runtimes.onnxruntime, ("onnxruntime", "onnx"), ("onnxruntime",), PREDICTS),
    "OpenVINO": Program(runtimes.openvino, ("openvino", "onnx"), ("openvino",), PREDICTS),
}
