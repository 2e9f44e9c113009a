"""Write the gradient of a class's logit at the pixels: the backward pass of training, carried one layer further.

Given   model.layers, a list that ends in Dense (the logits) and Softmax; the map explains the logit, before the softmax
        layer.forward(x, keep=True)    evaluation mode (dropout rests), yet the layer keeps what backward needs
        layer.backward(dy, need_grads=False)    returns dx, and leaves the parameters' gradients alone
"""

import numpy as np


def gradient_map(model, images, classes):
    """Here: images X (N, H, W, C), classes (N,) the class to explain for each; returns G (N, H, W, C), signed."""
    y = images
    for layer in model.layers[:-1]:  # not through the softmax
        y = layer.forward(y, keep=True)
    dy = np.zeros_like(y)  # (N, U)
    dy[np.arange(len(images)), classes] = 1  # d logit_c / d logits = e_c
    for layer in reversed(model.layers[:-1]):
        dy = layer.backward(dy, need_grads=False)
    return dy  # (N, H, W, C)
