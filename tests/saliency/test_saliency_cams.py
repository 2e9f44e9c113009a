"""Class activation maps from the feature maps' own numbers, which layer they are of, and how they are scaled up."""

import numpy as np
import pytest
from saliency_networks import cnn, linear, network
from scipy.ndimage import map_coordinates
from scipy.signal import correlate

from batik_scratch import nn, saliency
from batik_scratch.errors import InputError
from batik_scratch.saliency.cam import resize_bilinear

SHAPE = (7, 9, 2)
CAMS = [saliency.GradCAM, saliency.HiResCAM, saliency.GradCAMPlusPlus]
TARGETS = np.array([2, 0, 1])


@pytest.fixture(scope="module")
def affine_head():
    """A network with an affine head, images, its feature maps A by SciPy, and dS/dA: rows of the head's weights."""
    model = network(1, [nn.Conv2D(4, 3), nn.ReLU(), nn.Flatten(), nn.Dense(3), nn.Softmax()], SHAPE)
    kernel, bias, head, _ = model.get_weights()
    head.reshape(5, 7, 4, 3)[:, :, 2] = 0  # a map that no class looks at: 0/0 in Grad-CAM++
    head.reshape(5, 7, 4, 3)[:, :, :2, 0] += 0.2  # one class that most of the feature maps speak for
    model.set_weights([kernel, bias, head, model.get_weights()[3]])
    x = np.random.default_rng(1).random((3, *SHAPE)) * np.array([1, 3, 0.5])[:, None, None, None]
    z = [[correlate(image, kernel[..., k], "valid")[..., 0] + bias[k] for k in range(4)] for image in x]
    a = np.maximum(np.stack(z).transpose(0, 2, 3, 1), 0)  # (N, 5, 7, 4)
    g = head.T[TARGETS].reshape(3, 5, 7, 4)
    return model, x, a, g


def test_grad_cam_weighs_each_map_by_its_mean_gradient(affine_head):
    model, x, a, g = affine_head
    expected = np.zeros((3, 5, 7))
    for n in range(3):
        for k in range(4):
            expected[n] += g[n, ..., k].mean() * a[n, ..., k]
    assert (expected < 0).any() and (expected > 0).any()
    found = saliency.GradCAM(model, upsample=False).attribute(x, target=TARGETS, batch_size=2)
    assert found.shape == (3, 5, 7, 1) and np.allclose(found[..., 0], np.maximum(expected, 0), atol=1e-14)


def test_hires_cam_multiplies_place_by_place_and_keeps_the_sign(affine_head):
    model, x, a, g = affine_head
    found = saliency.HiResCAM(model, upsample=False).attribute(x, target=TARGETS)[..., 0]
    assert np.allclose(found, np.einsum("nijk,nijk->nij", a, g), atol=1e-14) and found.min() < 0 < found.max()


def test_grad_cam_plus_plus_is_the_papers_formula(affine_head):
    model, x, a, g = affine_head
    expected = np.zeros((3, 5, 7))
    for n in range(3):
        for k in range(4):
            over, under = g[n, ..., k] ** 2, 2 * g[n, ..., k] ** 2 + a[n, ..., k].sum() * g[n, ..., k] ** 3
            share = np.array(
                [[o / u if u else 0 for o, u in zip(*row, strict=True)] for row in zip(over, under, strict=True)]
            )
            expected[n] += (share * np.maximum(g[n, ..., k], 0)).sum() * a[n, ..., k]
    found = saliency.GradCAMPlusPlus(model, upsample=False).attribute(x, target=TARGETS)[..., 0]
    assert np.allclose(found, np.maximum(expected, 0), atol=1e-12) and found.max() > 0.01


def test_grad_cam_plus_plus_of_maps_below_zero():
    """Of a layer without ReLU: a sum where 2 g^2 + sum g^3 is exactly 0 has no share, and negative maps are cut off."""
    model = network(2, [nn.Conv2D(1, 1), nn.Flatten(), nn.Dense(1)], (1, 2, 1))
    one = [np.ones((1, 1, 1, 1)), np.zeros(1)]
    model.set_weights([*one, np.array([[1.0], [0.5]]), np.zeros(1)])
    found = saliency.GradCAMPlusPlus(model, "conv2d").attribute(np.array([[[[-3.0], [1.0]]]]))[0, 0, :, 0]
    # sum A = -2: the shares are 1 / (2 - 2 * 1), not defined and so 0, and 1 / (2 - 2 * 0.5) = 1; the weight is 0.5
    assert np.allclose(found, [0, 0.5])


@pytest.mark.parametrize("cam", CAMS)
def test_a_map_is_scaled_up_to_the_image(cam, affine_head):
    model, x = affine_head[:2]
    small = cam(model, upsample=False).attribute(x, target=TARGETS)[..., 0]
    large = cam(model).attribute(x, target=TARGETS)
    assert large.shape == (3, 7, 9, 1) and np.allclose(large[..., 0], by_scipy(small, (7, 9)), atol=1e-13)


def by_scipy(maps, size):
    """Bilinear at the new pixels' centres, measured in the old picture; its edge goes on outside."""
    at = [(np.arange(new) + 0.5) * old / new - 0.5 for new, old in zip(size, maps.shape[1:], strict=True)]
    places = np.meshgrid(*at, indexing="ij")
    return np.stack([map_coordinates(one, places, order=1, mode="nearest") for one in maps])


@pytest.mark.parametrize("size", [(7, 10), (5, 7), (3, 20), (1, 1), (2, 4)])
@pytest.mark.parametrize("old", [(3, 4), (1, 5), (6, 1), (1, 1), (2, 3)])
def test_scaling_agrees_with_scipy_up_and_down(old, size):
    maps = np.random.default_rng(2).normal(size=(2, *old))
    assert np.allclose(resize_bilinear(maps, size), by_scipy(maps, size), atol=1e-13)
    assert resize_bilinear(maps.astype(np.float32), size).dtype == np.float32


# ---------------------------------------------------------------------- which layer


def test_the_default_layer_is_the_last_convolution_or_the_relu_right_behind_it():
    def chosen(*layers):
        return saliency.GradCAM(nn.Sequential([*layers], (12, 11, 2))).layer.name

    def head():
        return [nn.Flatten(), nn.Dense(2)]

    assert chosen(nn.Conv2D(3, 3), nn.ReLU(), nn.Conv2D(4, 3), nn.ReLU(), *head()) == "re_lu_1"
    assert chosen(nn.Conv2D(3, 3), nn.ReLU(), nn.Conv2D(4, 3), *head(), nn.ReLU()) == "conv2d_1"
    assert chosen(nn.Conv2D(3, 3), nn.ReLU(), nn.MaxPooling2D(2), *head()) == "re_lu"
    assert chosen(nn.Conv2D(3, 3), nn.MaxPooling2D(2), nn.ReLU(), *head()) == "conv2d"
    assert chosen(nn.Conv2D(3, 3), nn.Absolute(), nn.GlobalAveragePooling2D(), nn.Dense(2)) == "absolute"
    whole = nn.Sequential([nn.Conv2D(3, 3)], (12, 11, 2))
    assert saliency.GradCAM(whole).layer is whole.layers[-1]  # nothing stands behind it


@pytest.mark.parametrize("cam", CAMS)
@pytest.mark.parametrize("layer", ["conv2d", "re_lu", "max_pooling2d"])
def test_the_layer_asked_for_is_the_one_that_is_explained(cam, layer):
    """Its gradient by central differences of what stands above the layer."""
    model = cnn(3)
    x = np.random.default_rng(3).random((1, 9, 8, 3))
    place = [one.name for one in model.layers].index(layer) + 1
    a = x
    for one in model.layers[:place]:
        a = one.forward(a)

    def above(a):
        for one in model.layers[place:-1]:
            a = one.forward(a)
        return a[0, 1]

    g = np.zeros_like(a)
    for at in np.ndindex(*a.shape):
        step = np.zeros_like(a)
        step[at] = 1e-6
        g[at] = (above(a + step) - above(a - step)) / 2e-6
    found = cam(model, layer, upsample=False).attribute(x, target=1)[..., 0]
    share = np.divide(1, 2 + a.sum(axis=(1, 2), keepdims=True) * g, out=np.zeros_like(g), where=np.abs(g) > 1e-9)
    expected = {
        saliency.GradCAM: np.maximum((g.mean(axis=(1, 2)) * a).sum(axis=-1), 0),
        saliency.HiResCAM: (a * g).sum(axis=-1),
        saliency.GradCAMPlusPlus: np.maximum(((share * np.maximum(g, 0)).sum(axis=(1, 2)) * a).sum(axis=-1), 0),
    }[cam]
    assert np.allclose(found, expected, atol=1e-7) and np.abs(expected).max() > 1e-4


def test_layers_without_feature_maps_are_refused_by_the_methods_name():
    with pytest.raises(InputError, match=r"HiResCAM: dense_1 has no feature maps, its output is \(3,\)"):
        saliency.HiResCAM(cnn(0), "dense_1")
    with pytest.raises(InputError, match="none: the model has no such layer"):
        saliency.GradCAM(linear(0), "dense")
    with pytest.raises(InputError, match="GradCAMPlusPlus: needs a layer with feature maps"):
        saliency.GradCAMPlusPlus(linear(0))
    with pytest.raises(InputError, match="GradCAM: the model is not built yet"):
        saliency.GradCAM(nn.Sequential([nn.Conv2D(2, 3), nn.Flatten(), nn.Dense(3)]))


@pytest.mark.parametrize("method", [saliency.Gradient, saliency.LRP, saliency.GuidedBackprop, saliency.SmoothGrad])
def test_a_model_without_shapes_explains_nothing(method):
    with pytest.raises(InputError, match=f"{method.__name__}: the model is not built yet"):
        method(nn.Sequential([nn.Flatten(), nn.Dense(3)])).attribute(np.ones((1, 4, 3, 2)), target=1)
