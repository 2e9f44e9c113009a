"""Do the comparison tests hold for other settings of the kernels' constants, and still reach every boundary?

    python tests/benchmarks/kernel_constants.py [--count 10] [--seed 0]

Draws settings of the constants that decide where blocks, groups and chunks begin, writes each into a copy of the
package (this checkout is never touched), and runs the comparison tests of tests/ops there: their sizes come from the
constants, and each asserts that it reaches what it is named after. A minute a setting on a quiet core, most of it to
compile the kernels; those that no constant touches are copied compiled.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = [
    "batik_scratch",
    "tests/ops",
    "tests/conftest.py",
    "tests/compile_kernels.py",
    "tests/plain_mode.py",
    "setup.cfg",
]
COMPARISONS = [f"tests/ops/test_ops_{name}.py" for name in ("boundaries", "memory", "winograd", "dense", "agree")]
Setting = dict[str, int]  # value by file and name: "direct_kernels.ROWS"


def draw(rng: random.Random) -> Setting:
    """One setting inside of what the modules state beside their constants."""
    return {
        "lanes.LANES": rng.choice([1, 2, 4, 8, 16, 32]),
        "direct_kernels.ROWS": rng.randint(1, 20),
        "chunks.CHUNKS": rng.randint(1, 13),
        "choose.FEW": rng.randint(4, 12),
        "conv_winograd.TILE_VALUES": round(2 ** rng.uniform(14, 21)),
        "conv_winograd.ENOUGH_TILES": rng.randint(1, 99),
        "winograd_weights.BLOCK": rng.randint(1, 3000),
        "conv_im2col.TILE_BYTES": round(2 ** rng.uniform(12, 19)),
        "dense.BLOCKS": rng.randint(1, 40),
        "dense.LARGE": round(2 ** rng.uniform(8, 17)),
        "threads.SMALL_PRODUCT": round(10 ** rng.uniform(4, 6.5)),
    }


def write(setting: Setting, package: Path) -> None:
    """The original files with these values."""
    texts: dict[str, str] = {}
    for name, value in setting.items():
        module, constant = name.split(".")
        text = texts.setdefault(module, (ROOT / f"batik_scratch/ops/{module}.py").read_text())
        texts[module], count = re.subn(rf"(?m)^{constant} = [^#\n]*?(?=\s*(#|$))", f"{constant} = {value}", text)
        assert count == 1, f"{name}: {count} assignments"
    for module, text in texts.items():
        (package / f"ops/{module}.py").write_text(text)


def run(place: Path) -> tuple[bool, str]:
    """The comparisons against the copy: whether all passed, and pytest's last lines."""
    here = {key: value for key, value in os.environ.items() if key != "NUMBA_CACHE_DIR"} | {"PYTHONPATH": str(place)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *COMPARISONS]
    done = subprocess.run(command, cwd=place, env=here, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR")) or " passed" in line]
    return done.returncode == 0, "\n".join(lines or (done.stdout + done.stderr).splitlines()[-5:])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--count", type=int, default=10, help="settings")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng, failed = random.Random(options.seed), 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        for source in COPIED:
            copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy2
            (place / source).parent.mkdir(parents=True, exist_ok=True)
            copy(ROOT / source, place / source)
        for number in range(1, options.count + 1):
            setting = draw(rng)
            write(setting, place / "batik_scratch")
            passed, said = run(place)
            failed += not passed
            print(f"{number:3}  {'passed' if passed else 'FAILED'}  {said.splitlines()[-1]}")
            print("     " + "  ".join(f"{key} {value}" for key, value in setting.items()))
            if not passed:
                print(said, flush=True)
            sys.stdout.flush()
    print(f"{options.count - failed} of {options.count} settings passed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
