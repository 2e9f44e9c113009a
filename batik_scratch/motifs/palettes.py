"""The dyes: named colour schemes after the traditions of the north coast and the courts, one pool for all classes.

Each has a ground, a wax colour (the undyed line) and five tones from dark to light.
"""

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Palette:
    """A colour scheme, RGB 0..255; `tones` (5, 3) run from dark to light."""

    name: str
    ground: Colour
    wax: Colour
    dark: Colour
    light: Colour

    @property
    def tones(self) -> np.ndarray:
        """Five colours (5, 3) from `dark` to `light`, evenly spaced."""
        t = np.linspace(0, 1, 5)[:, None]
        return (1 - t) * np.array(self.dark, float) + t * np.array(self.light, float)


_HEX = """
sogan_solo        4a2c17 f0dfbf 2b1a10 c9924f
sogan_yogya       f3ead6 fff8e8 3a2415 a8743a
sogan_keraton     6b4423 f5e6c8 27160d d9a760
sogan_gold        8a5a24 fbeecb 3d2411 e8c27a
indigo_deep       14244d eef2f5 0b1533 7fa0d6
indigo_wash       dfe8f2 ffffff 1a2f66 8db3e2
indigo_sogan      1d2a4f f2e3c2 3b2413 c99a5b
kelengan          f4f4ee ffffff 152a5e 6f93cf
pesisir_red       a5202b fbe9d9 5a0d16 f0a08a
pesisir_rose      d9758a fff3ee 7a1f3a f7c9cf
pesisir_coral     e2654a fff1e4 8a2418 f9bfa4
mengkudu          7d1f1c f6dcc0 3f0d0d d9775f
bang_biru         f6ead4 fffaf0 8d1c25 5f86c4
pesisir_green     1f6a4a eef7ea 0d3526 8fce9d
leaf_green        5d8a3a f8f7df 27441a c4dd8c
sea_green         1a7f86 f0fbf6 0b3f4c 8fd9d2
turquoise         3fb0b5 f7fffb 12575f b9ece4
royal_purple      4b2a6b f4e9f7 22103a b891d6
plum              6d2850 fbe8ee 330f28 d793b6
turmeric          e3a92b fff8dc 7a4a0f f9e39a
kunir_brown       c98a1f fff3cf 55300c f2d08a
soot_black        1b1a1d f2efe8 050507 a39c94
charcoal_blue     2a3440 eef1f0 0f151d 9db2c4
cream_brown       efe3c8 fffaf0 5a3a20 c39a6b
cream_indigo      efe6cf fffdf4 1c2c5a 8a9fca
smoke_grey        8d8f94 f7f7f5 3a3c42 cfd2d6
lasem_red         c0272d fdf0dd 35121f f4b79a
tiga_negeri       f1e0bd fff8e6 7e1a22 a8793f
"""


def _rgb(text: str) -> Colour:
    return int(text[:2], 16), int(text[2:4], 16), int(text[4:], 16)


PALETTES = tuple(
    Palette(name, *map(_rgb, colours)) for name, *colours in (line.split() for line in _HEX.split("\n") if line)
)
