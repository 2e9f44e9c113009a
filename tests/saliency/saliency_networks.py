"""Small networks in float64 whose scores the tests can follow by hand; none is square, no two sizes are equal."""

import numpy as np

from batik_scratch import nn, saliency

SHAPE = (9, 8, 3)  # what `cnn` looks at

METHODS = {
    "gradient": saliency.Gradient,
    "gradient_times_input": saliency.GradientTimesInput,
    "smoothgrad": lambda m: saliency.SmoothGrad(m, samples=4),
    "vargrad": lambda m: saliency.SmoothGrad(m, samples=4, statistic="variance"),
    "integrated": lambda m: saliency.IntegratedGradients(m, steps=5),
    "guided": saliency.GuidedBackprop,
    "deconvnet": saliency.Deconvnet,
    "grad_cam": saliency.GradCAM,
    "hires_cam": saliency.HiResCAM,
    "grad_cam_pp": saliency.GradCAMPlusPlus,
    "occlusion": lambda m: saliency.Occlusion(m, 4),
    "lrp": saliency.LRP,
}


def network(seed, layers, shape):
    model = nn.Sequential(layers, shape, random_state=seed, dtype="float64")
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if "bias" in layer.params:
            layer.params["bias"][...] = rng.normal(0, 0.3, layer.params["bias"].shape)
    return model


def linear(seed, shape=(4, 3, 2), classes=3):
    return network(seed, [nn.Flatten(), nn.Dense(classes), nn.Softmax()], shape)


def cnn(seed, classes=3, shape=SHAPE, biases=True):
    layers = [nn.Conv2D(4, 3), nn.ReLU(), nn.MaxPooling2D(2), nn.Flatten(), nn.Dropout(0.5), nn.Dense(5), nn.ReLU()]
    model = network(seed, [*layers, nn.Dense(classes), nn.Softmax()], shape)
    if not biases:
        for layer in model.layers:
            if "bias" in layer.params:
                layer.params["bias"][...] = 0
    return model


def weights(model, target):
    """Of a linear network: how the class's logit depends on each pixel (1, H, W, C)."""
    return model.layers[1].params["kernel"][:, target].reshape(1, *model.input_shape)


def score_by_hand(name, logits, target):
    """The scores of the design, written out: of one image's logits (U,)."""
    logits = logits.astype(float)
    p = np.exp(logits) / np.exp(logits).sum()
    return {
        "logit": logits[target],
        "probability": p[target],
        "log_probability": np.log(p[target]),
        "loss": -np.log(p[target]),
        "margin": logits[target] - max(z for c, z in enumerate(logits) if c != target),
    }[name]
