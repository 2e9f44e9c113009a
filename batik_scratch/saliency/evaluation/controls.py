"""Maps that know nothing of the network: what a method must beat before its maps mean something."""

import numpy as np
from scipy.ndimage import correlate1d, gaussian_filter


def centre_prior(images: np.ndarray) -> np.ndarray:
    """A bump in the middle of each image (N, H, W): photographers put what matters there."""
    n, h, w = images.shape[:3]
    y, x = np.linspace(-1, 1, h)[:, None], np.linspace(-1, 1, w)[None]
    return np.broadcast_to(np.exp(-(x * x + y * y) / 0.5), (n, h, w))


def sobel(images: np.ndarray, blur: float = 2.0) -> np.ndarray:
    """The strength of the edges (N, H, W) of images (N, H, W, C), smoothed over `blur` pixels."""
    grey = np.asarray(images, np.float64).mean(axis=-1)  # (N, H, W)
    # within each image: scipy.ndimage.sobel would smooth along the axis of the images too
    slopes = [correlate1d(correlate1d(grey, [-1, 0, 1], a), [1, 2, 1], b) for a, b in ((1, 2), (2, 1))]  # (N, H, W)
    strength = np.hypot(*slopes)  # (N, H, W)
    return gaussian_filter(strength, (0, blur, blur))
