"""Import the package's arithmetic without its compiler: the site shows functions, and a compiled one shows nothing.

Only this process: lessons run in processes of their own, and those compile.
"""

import os

before = os.environ.get("BATIK_SCRATCH_PLAIN")
os.environ["BATIK_SCRATCH_PLAIN"] = "1"
import batik_scratch.ops.jit  # noqa: E402,F401

del os.environ["BATIK_SCRATCH_PLAIN"]
if before is not None:
    os.environ["BATIK_SCRATCH_PLAIN"] = before
