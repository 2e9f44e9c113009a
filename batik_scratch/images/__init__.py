"""Folders of photos: reading, checking, caching, splitting, augmenting."""

from .augment import ImageAugmenter
from .batches import AugmentedBatches
from .folds import stratified_folds
from .loading import ImageSet, load_folder
from .pictures import pictures
from .places import user_cache
from .reading import UnreadableImage, read_image, read_pixels
from .scan import ScanReport, scan
from .split import Split, stratified_split
from .views import eight_views, mean_over_views

__all__ = [
    "AugmentedBatches",
    "ImageAugmenter",
    "ImageSet",
    "ScanReport",
    "Split",
    "UnreadableImage",
    "eight_views",
    "load_folder",
    "mean_over_views",
    "pictures",
    "read_image",
    "read_pixels",
    "scan",
    "stratified_folds",
    "stratified_split",
    "user_cache",
]
