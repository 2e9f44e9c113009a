"""What cloths of this VERSION look like, at scattered points: a cached data set of the same version must look the same.

    python tests/motifs/recorded_cloths.py    # after VERSION was raised: records the cloths as they are now

Numbers are kept at a ten-thousandth of a tile, photographs as their bytes: other libraries may differ by less, or by a
grey level or two.
"""

import json
from pathlib import Path

import numpy as np

from batik_scratch.motifs import ALL_MOTIFS, VERSION
from batik_scratch.motifs.drawing import draw_described

FILE = Path(__file__).with_name(f"cloths_of_version_{VERSION}.npz")
POINTS = 72
SEEDS = {"keratonan": 30, "mega_mendung": 24, "singa_barong": 24, "kawung": 6}
PHOTOS = [
    (motif, 4 * k + number, (32, 57, 40, 64, 48, 170)[k % 6], (0.1, 1.0, 0.0, 0.6, 0.3)[k % 5])
    for number, motif in enumerate(ALL_MOTIFS)
    for k in range(15)
]


def geometries(motif: str) -> tuple[np.ndarray, list[dict]]:
    """Distance, tone and line (S, 3, POINTS) of many cloths of a motif, and the parameters of each."""
    values, drawn = [], []
    for seed in range(SEEDS[motif]):
        x, y = np.random.default_rng([7, seed]).uniform(-1.6, 1.6, (2, POINTS))
        found = ALL_MOTIFS[motif](x, y, np.random.default_rng([8, seed]))
        values.append([found.distance, found.tone, found.line])
        drawn.append(found.drawn)
    return np.array(values), drawn


def photos() -> tuple[np.ndarray, np.ndarray, list[dict]]:
    """Pixels (P, POINTS, 3) and mask (P, POINTS) of photographs of all sizes and difficulties, and their parameters."""
    pixels, masks, described = [], [], []
    for motif, seed, size, difficulty in PHOTOS:
        image, mask, drawn = draw_described(motif, np.random.default_rng([9, seed]), size, difficulty)
        i, j = np.random.default_rng([10, seed]).integers(size, size=(2, POINTS))
        pixels.append(image[i, j])
        masks.append(mask[i, j])
        described.append(drawn)
    return np.array(pixels), np.array(masks), described


def as_text(drawn: list[dict]) -> np.ndarray:
    return np.frombuffer(json.dumps(drawn).encode(), np.uint8)


def from_text(letters: np.ndarray) -> list[dict]:
    return json.loads(letters.tobytes())


def main() -> None:
    arrays = {}
    for motif in ALL_MOTIFS:
        values, drawn = geometries(motif)
        arrays |= {motif: np.rint(np.clip(values, -3, 3.2) * 1e4).astype(np.int16), f"{motif}_drawn": as_text(drawn)}
    pixels, masks, drawn = photos()
    np.savez_compressed(FILE, **arrays, pixels=pixels, masks=masks, photos_drawn=as_text(drawn))
    print(f"{FILE}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
