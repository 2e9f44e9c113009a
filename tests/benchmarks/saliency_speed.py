"""Images per second of each saliency method, beside captum's (PyTorch), at 150 pixels in batches of 32.

    python tests/benchmarks/saliency_speed.py [--rounds 5] [--batch 32] [--size 150] [--threads 2]

Both libraries explain the paper's network with the same weights' shapes, on the same pictures, each in a process of its
own. Rounds alternate between the two, so that a busy machine hurts both alike; medians and their ratio are printed. The
first call of each, which compiles or plans, is not counted. Methods that repeat the gradient do so 5 times, occlusion
covers 4 x 4 windows: what is compared is the cost of one repetition.
"""

import argparse
import multiprocessing
import os
import statistics
import time
from multiprocessing.connection import Connection

REPEATS = 5
NAMES = (
    "gradient",
    "gradient x input",
    "smoothgrad",
    "integrated gradients",
    "guided backprop",
    "deconvnet",
    "grad-cam",
    "occlusion",
    "lrp",
)


def ours(size: int, batch: int, threads: int):
    """{name: function without arguments} of this package."""
    import numpy as np

    from batik_scratch import nn, saliency

    model = nn.paper_cnn((size, size, 3), random_state=0, algorithm="auto")
    x = np.random.default_rng(0).random((batch, size, size, 3), np.float32)
    window = (size + 3) // 4
    methods = (
        saliency.Gradient(model),
        saliency.GradientTimesInput(model),
        saliency.SmoothGrad(model, REPEATS),
        saliency.IntegratedGradients(model, REPEATS),
        saliency.GuidedBackprop(model),
        saliency.Deconvnet(model),
        saliency.GradCAM(model),
        saliency.Occlusion(model, window, window),
        saliency.LRP(model),
    )
    return {
        name: lambda m=m: m.attribute(x, target=1, batch_size=batch) for name, m in zip(NAMES, methods, strict=True)
    }


def theirs(size: int, batch: int, threads: int):
    """{name: function without arguments} of captum."""
    import warnings

    import torch
    from captum import attr

    warnings.filterwarnings("ignore")
    torch.set_num_threads(threads)
    torch.manual_seed(0)

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            side = ((((size - 2) // 2) - 2) // 2 - 2) // 2
            sizes = ((3, 32), (32, 64), (64, 128))
            self.convolutions = torch.nn.ModuleList(torch.nn.Conv2d(c, f, 3) for c, f in sizes)
            self.relus = torch.nn.ModuleList(torch.nn.ReLU() for _ in range(4))
            self.pools = torch.nn.ModuleList(torch.nn.MaxPool2d(2) for _ in range(3))
            self.hidden, self.out = torch.nn.Linear(side * side * 128, 64), torch.nn.Linear(64, 3)

        def forward(self, x):
            for convolution, relu, pool in zip(self.convolutions, self.relus, self.pools, strict=False):
                x = pool(relu(convolution(x)))
            return self.out(self.relus[3](self.hidden(torch.flatten(x, 1))))

    model = Network().eval()
    x = torch.rand(batch, 3, size, size)
    window = (size + 3) // 4
    methods = (
        (attr.Saliency(model), {"abs": False}),
        (attr.InputXGradient(model), {}),
        (attr.NoiseTunnel(attr.Saliency(model)), {"nt_samples": REPEATS, "abs": False, "nt_samples_batch_size": 1}),
        (attr.IntegratedGradients(model), {"n_steps": REPEATS, "internal_batch_size": batch}),
        (attr.GuidedBackprop(model), {}),
        (attr.Deconvolution(model), {}),
        (attr.LayerGradCam(model, model.relus[2]), {"relu_attributions": True}),
        (attr.Occlusion(model), {"sliding_window_shapes": (3, window, window), "strides": (3, window, window)}),
        (attr.LRP(model), {}),
    )
    return {
        name: lambda m=m, o=o: m.attribute(x.clone().requires_grad_(), target=1, **o)
        for name, (m, o) in zip(NAMES, methods, strict=True)
    }


def serve(which: str, size: int, batch: int, threads: int, pipe: Connection) -> None:
    """Run what is asked for, and send back the seconds."""
    for variable in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = str(threads)
    calls = {"ours": ours, "captum": theirs}[which](size, batch, threads)
    for name in calls:
        calls[name]()  # compiles
    pipe.send("ready")
    while name := pipe.recv():
        began = time.perf_counter()
        calls[name]()
        pipe.send(time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--size", type=int, default=150)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    pipes = {}
    for which in ("ours", "captum"):
        here, there = context.Pipe()
        context.Process(target=serve, args=(which, args.size, args.batch, args.threads, there), daemon=True).start()
        pipes[which] = here
    for pipe in pipes.values():
        assert pipe.recv() == "ready"
    seconds = {which: {name: [] for name in NAMES} for which in pipes}
    for _ in range(args.rounds):
        for name in NAMES:
            for which, pipe in pipes.items():
                pipe.send(name)
                seconds[which][name].append(pipe.recv())
    for pipe in pipes.values():
        pipe.send("")
    print(
        f"{args.size} pixels, batch {args.batch}, {args.threads} threads, medians of {args.rounds} interleaved rounds"
    )
    print(f"{'method':22s}{'images/s':>12s}{'captum':>12s}{'ratio':>8s}")
    for name in NAMES:
        mine, other = (statistics.median(seconds[which][name]) for which in ("ours", "captum"))
        print(f"{name:22s}{args.batch / mine:12.1f}{args.batch / other:12.1f}{other / mine:8.2f}")


if __name__ == "__main__":
    main()
