"""Does a method notice that the network was destroyed? (Adebayo et al., 2018, "Sanity checks for saliency maps".)

Weights are drawn anew, from the output downwards (cascading) or one layer at a time (independent). A map that looks the
same afterwards does not explain the network.

A kernel that begins from a formula (Gabor's filters, say) would come back as the formula, which knows much already. In
its place come normal numbers with the deviation of the trained ones.
"""

import copy
from collections.abc import Iterator

import numpy as np
from scipy.ndimage import uniform_filter
from scipy.stats import rankdata

from ...errors import InputError
from ...nn import Sequential


def randomised_layers(model: Sequential, kind: str = "cascading", seed: int = 0) -> Iterator[tuple[str, Sequential]]:
    """(layer's name, a copy of the model with that layer drawn anew), from the last layer with weights to the first.

    kind: "cascading" keeps the layers above random too, "independent" the rest as trained.
    """
    if kind not in ("cascading", "independent"):
        raise InputError(f'kind is "cascading" or "independent", got {kind!r}')
    rng = np.random.default_rng(seed)
    changed = copy.deepcopy(model)
    for place in reversed(range(len(model.layers))):
        layer = model.layers[place]
        if not layer.params:
            continue
        if kind == "independent":
            changed = copy.deepcopy(model)
        assert layer.input_shape is not None
        again = layer.create_params(layer.input_shape, np.random.default_rng([seed, place]))
        for key, value in layer.create_params(layer.input_shape, rng).items():
            given = np.ptp(value) > 0 and np.array_equal(value, again[key])  # both times the same: no chance in it
            new = rng.normal(0, layer.params[key].std(), value.shape) if given else value
            changed.layers[place].params[key][...] = new
        yield layer.name, copy.deepcopy(changed)  # the caller may keep all stages


def similarity(one: np.ndarray, two: np.ndarray) -> dict[str, np.ndarray]:
    """How alike two sets of signed maps (N, H, W) are, image by image: {"spearman", "spearman, absolute", "SSIM"} (N,).

    Spearman's rank correlation of the values and of their absolute values; SSIM of the absolute values. 1 = the same.
    """
    if np.ndim(one) != 3 or np.shape(one) != np.shape(two):
        raise InputError(f"similarity: needs two sets of maps (N, H, W), got {np.shape(one)} and {np.shape(two)}")
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        raise InputError("similarity: needs finite maps; there is a NaN or an infinity in them")
    return {
        "spearman": _rank_correlation(one, two),
        "spearman, absolute": _rank_correlation(np.abs(one), np.abs(two)),
        "SSIM": structural_similarity(np.abs(one), np.abs(two)),
    }


def structural_similarity(one: np.ndarray, two: np.ndarray, window: int = 7) -> np.ndarray:
    """SSIM (N,) of maps (N, H, W), each scaled to [0, 1] first (Wang et al., 2004).

    mean over windows of  (2 m1 m2 + c1)(2 s12 + c2) / ((m1^2 + m2^2 + c1)(s1^2 + s2^2 + c2)),  c1 = 0.01^2, c2 = 0.03^2
    """
    x, y = _to_unit(one), _to_unit(two)

    def local_mean(values: np.ndarray) -> np.ndarray:
        return uniform_filter(values, (1, window, window))  # (N, H, W)

    mx, my = local_mean(x), local_mean(y)
    vx, vy, cov = local_mean(x * x) - mx * mx, local_mean(y * y) - my * my, local_mean(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    parts = (2 * mx * my + c1) * (2 * cov + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))  # (N, H, W)
    return parts.mean(axis=(1, 2))


def _rank_correlation(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Spearman's, (N,); NaN if a map is constant."""
    n, h, w = one.shape
    ranks = [rankdata(maps.reshape(n, h * w), axis=1) for maps in (one, two)]  # (N, H*W) both
    a, b = (r - (h * w + 1) / 2 for r in ranks)  # ranks begin at 1; ties keep their mean
    scale = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))  # (N,)
    return np.divide((a * b).sum(axis=1), scale, out=np.full(n, np.nan), where=scale > 0)


def _to_unit(maps: np.ndarray) -> np.ndarray:
    maps = np.asarray(maps, np.float64)
    low, high = maps.min(axis=(1, 2), keepdims=True), maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps - low, high - low, out=np.zeros_like(maps), where=high > low)
