"""PyTorch, captum, Keras and TensorFlow as far as `bench` uses them: they compute shapes, and note what they are asked.

Where the real ones are installed, test_bench.py runs those; here is tested what they are told, everywhere.
"""

import contextlib
from types import SimpleNamespace

import numpy as np

PARAMETERS = {
    "Conv2d": lambda c, f, k, stride=1: c * f * k * k + f,
    "Linear": lambda i, o: i * o + o,
    "BatchNorm1d": lambda c, epsilon: 2 * c,
}


class Tensor:
    """An array with a memory layout, and whether its gradient is asked for."""

    def __init__(self, array, layout=None, asks=False):
        self.array, self.layout, self.asks = np.asarray(array), layout, asks

    def permute(self, *axes):
        return Tensor(self.array.transpose(axes))

    def contiguous(self, memory_format=None):
        return Tensor(self.array, memory_format)

    def requires_grad_(self):
        return Tensor(self.array, self.layout, True)

    def __getitem__(self, rows):
        return Tensor(self.array[rows.array])


class FakeTorch:
    """`modules()` goes into sys.modules; `log` has what was done, `built` the layers."""

    channels_last, contiguous_format = "channels last", "contiguous"

    def __init__(self):
        self.log, self.built, self.training, self.gradients, self.layout = [], [], None, True, None
        self.from_numpy = Tensor
        kinds = ("Conv2d", "ReLU", "MaxPool2d", "Flatten", "Dropout", "Linear", "LayerNorm", "BatchNorm1d")
        self.nn = SimpleNamespace(**{k: lambda *a, k=k, **o: (k, *a, *o.values()) for k in kinds}, Module=object)
        self.nn.Sequential, self.nn.CrossEntropyLoss = self._sequential, self._loss
        self.optim = SimpleNamespace(Adam=self._adam)

    def modules(self):
        captum = SimpleNamespace(attr=SimpleNamespace(Saliency=self._saliency))
        return {"torch": self, "captum": captum, "captum.attr": captum.attr}

    def set_num_threads(self, count):
        self.log.append(("threads", count))

    def manual_seed(self, seed):
        self.log.append(("seed", seed))

    @contextlib.contextmanager
    def no_grad(self):
        self.gradients = False
        yield
        self.gradients = True

    def _sequential(self, *layers):
        self.built = list(layers)
        return self

    def to(self, memory_format):
        self.layout = memory_format

    def parameters(self):
        return self

    def train(self):
        self.training = True

    def eval(self):
        self.training = False

    def __call__(self, x):
        n, *shape = x.array.shape
        for layer in self.built:
            if not isinstance(layer, tuple):  # a module written for the occasion: a number per channel
                shape = shape[:1]
                continue
            kind, *numbers = layer
            if kind == "Conv2d":
                c, f, k, stride = (*numbers, 1)[:4]
                assert shape[0] == c
                shape = [f, (shape[1] - k) // stride + 1, (shape[2] - k) // stride + 1]
            elif kind == "LayerNorm":
                assert shape == list(numbers[0])
            elif kind == "MaxPool2d":
                shape = [shape[0], shape[1] // numbers[0], shape[2] // numbers[0]]
            elif kind == "Flatten":
                shape = [int(np.prod(shape))]
            elif kind == "Linear":
                assert shape == [numbers[0]]
                shape = [numbers[1]]
        self.log.append(("forward", self.training, self.gradients, x))
        return Tensor(np.zeros((n, *shape)))

    def _adam(self, parameters, rate):
        assert parameters is self
        self.log.append(("adam", rate))
        return SimpleNamespace(
            zero_grad=lambda: self.log.append(("zero",)), step=lambda: self.log.append(("adam's step",))
        )

    def _loss(self):
        def loss(logits, labels):
            assert logits.array.shape == (len(labels.array), 3)
            self.log.append(("loss", labels))
            return SimpleNamespace(backward=lambda: self.log.append(("backward",)))

        return loss

    def _saliency(self, model):
        def attribute(images, **options):
            self(images)
            self.log.append(("attribute", options))
            return "maps"

        return SimpleNamespace(attribute=attribute)


class FakeKeras:
    """The same of Keras and of TensorFlow."""

    def __init__(self):
        self.log, self.built = [], []
        kinds = ("Conv2D", "MaxPooling2D", "Flatten", "Dropout", "Dense", "Activation", "LayerNormalization")
        kinds += ("BatchNormalization", "GlobalAveragePooling2D")
        self.ops = SimpleNamespace(abs=np.abs, log=np.log)
        self.layers = SimpleNamespace(**{k: lambda *a, k=k, **o: (k, *a, *o.values()) for k in kinds})
        self.losses = SimpleNamespace(SparseCategoricalCrossentropy=lambda from_logits: ("loss", from_logits))
        self.optimizers = SimpleNamespace(Adam=lambda rate: ("adam", rate))
        self.utils = SimpleNamespace(set_random_seed=lambda seed: self.log.append(("seed", seed)))
        threading = SimpleNamespace(
            set_intra_op_parallelism_threads=lambda count: self.log.append(("within", count)),
            set_inter_op_parallelism_threads=lambda count: self.log.append(("between", count)),
        )
        self.tf = SimpleNamespace(
            config=SimpleNamespace(threading=threading),
            function=lambda function: function,
            GradientTape=lambda: contextlib.nullcontext(self),
            constant=lambda array: ("constant", array),
        )

    def modules(self):
        return {"keras": self, "tensorflow": self.tf}

    def Input(self, shape):
        return ("Input", shape)

    def Sequential(self, layers):
        self.built = list(layers)
        return self

    def compile(self, *arguments, **options):
        self.log.append(("compile", *arguments, options))

    def train_on_batch(self, x, y):
        self.log.append(("train", x, y))

    def predict_on_batch(self, x):
        self.log.append(("predict", x))
        return "probabilities"

    def __call__(self, images, training):
        self.log.append(("forward", images, training))
        return np.array([["score 0", "score 1", "score 2"]])

    def watch(self, images):
        self.log.append(("watch", images))

    def gradient(self, score, images):
        self.log.append(("gradient", list(score), images))
        return SimpleNamespace(numpy=lambda: "maps")
