"""Folders of photos: reading, checking, caching, splitting, augmenting."""

from .augment import ImageAugmenter
from .batches import AugmentedBatches
from .cache import ImageSet, load_folder
from .places import user_cache
from .reading import UnreadableImage, read_image, read_pixels
from .scan import ScanReport, scan
from .split import Split, stratified_split

__all__ = [
    "AugmentedBatches",
    "ImageAugmenter",
    "ImageSet",
    "ScanReport",
    "Split",
    "UnreadableImage",
    "load_folder",
    "read_image",
    "read_pixels",
    "scan",
    "stratified_split",
    "user_cache",
]
