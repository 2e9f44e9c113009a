"""A Python without numba, and without threadpoolctl as batik_scratch sees it; on PYTHONPATH it works in any process.

scikit-learn cannot do without threadpoolctl, so it depends on who asks.
"""

import builtins

_import = builtins.__import__


def _guarded(name, globals=None, locals=None, fromlist=(), level=0):
    asking = (globals or {}).get("__name__") or ""
    wanted = name.partition(".")[0] if level == 0 else ""
    if wanted == "numba" or (wanted == "threadpoolctl" and asking.startswith("batik_scratch")):
        raise ModuleNotFoundError(f"No module named {wanted!r} (the tests block it)", name=wanted)
    return _import(name, globals, locals, fromlist, level)


builtins.__import__ = _guarded
