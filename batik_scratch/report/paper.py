"""What the paper published, number by number, to be quoted beside a run's own."""

from typing import NamedTuple


class Epoch(NamedTuple):
    """One row of a Table I."""

    epoch: int
    accuracy: float
    loss: float
    val_accuracy: float
    val_loss: float


CITATION = (
    "Yoga Aditiya, Marlinda Vasty Overbeek, Suwito Pomalingo: “Using Convolutional Neural Network and Saliency Maps "
    "for Cirebon Batik Recognition”, Universitas Multimedia Nusantara, Tangerang, Indonesia, 2025."
)

TABLE_1 = (
    Epoch(90, 0.9680, 0.1821, 0.8592, 0.3755),
    Epoch(91, 0.9842, 0.1397, 0.8873, 0.3509),
    Epoch(92, 0.9714, 0.1206, 0.8732, 0.3546),
    Epoch(93, 0.9757, 0.1286, 0.8521, 0.3903),
    Epoch(94, 0.9657, 0.1695, 0.8732, 0.3917),
    Epoch(95, 0.9768, 0.1465, 0.8310, 0.3947),
    Epoch(96, 0.9479, 0.1694, 0.7887, 0.5655),
    Epoch(97, 0.9396, 0.1933, 0.8310, 0.3618),
    Epoch(98, 0.9692, 0.1180, 0.8521, 0.4575),
    Epoch(99, 0.8961, 0.2813, 0.8099, 0.5629),
    Epoch(100, 0.9121, 0.2514, 0.8451, 0.4232),
)

METRICS = ("accuracy", "precision", "recall", "f1")
TABLE_2 = {"accuracy": 0.87, "precision": 0.89, "recall": 0.88, "f1": 0.87}
# the metrics of the matrix below, rounded: what Table II says before its own rounding
FIGURE_12_METRICS = {"accuracy": 0.875, "precision": 0.891, "recall": 0.875, "f1": 0.868}
ABSTRACT = {"accuracy": 0.82, "precision": 0.83, "recall": 0.82, "f1": 0.82}

CLASS_NAMES = ("keratonan", "mega_mendung", "singa_barong")
FIGURE_12 = ((49, 0, 0), (3, 42, 0), (7, 6, 21))  # rows true, columns predicted, as CLASS_NAMES
FIGURE_10 = (85.87, 3.81, 0.32)  # percent, as CLASS_NAMES; they add up to 90.00
