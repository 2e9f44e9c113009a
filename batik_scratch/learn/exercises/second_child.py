"""The process that works out new numbers: python -m batik_scratch.learn.exercises.second_child FILE NAME DIR SECONDS.

It reads DIR/questions.json and questions.npz, and writes answers-0.npz, answers-1.npz, ...: arrays, and nothing else
is ever read of it. What it refuses goes to DIR/refused, in words.
"""

import faulthandler
import importlib
import json
import os
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np

import batik_scratch.nn.gradcheck  # what an answer may import is loaded before the rest is shut
from batik_scratch import nn

from . import guard
from .child import limit_memory

NETWORK = f"{__package__}.tasks.saliency"


def main(file: str, wanted: str, folder: str, seconds: str) -> None:
    """Answer all questions, or say what is refused."""
    path, notes = Path(file), Path(folder)
    asked = json.loads((notes / "questions.json").read_text())
    with np.load(notes / "questions.npz") as arrays:
        held = dict(arrays)
    for number, question in enumerate(asked):
        prefix = f"{number} "
        question |= {key.removeprefix(prefix): value for key, value in held.items() if key.startswith(prefix)}
    network = importlib.import_module(NETWORK).network if asked[0]["kind"] == "saliency" else None
    models = [network() for _ in asked] if network else []
    sys.path.append(str(path.parent))
    source = path.read_bytes()
    faulthandler.dump_traceback_later(float(seconds), exit=True)  # this starts a thread
    guard.limit_processes()
    limit_memory()
    guard.limit_files()
    guard.forbid_damage(notes)
    if not models:  # a saliency map is made by the package's layers
        guard.take_away("batik_scratch")
    guard.forbid_help(Path(batik_scratch.__file__).resolve().parent, libraries=bool(models))
    try:
        module = types.ModuleType("exercise_answer")
        module.__file__ = str(path)
        exec(compile(source, str(path), "exec"), module.__dict__)
        for number, question in enumerate(asked):
            model = models[number] if models else None
            np.savez(notes / f"answers-{number}.npz", **_answer(getattr(module, wanted), question, model))
    except guard.RefusedError as refused:
        (notes / "refused").write_text(str(refused))
    os._exit(0)


def _answer(thing: Any, question: dict[str, Any], model: Any) -> dict[str, Any]:
    with np.errstate(all="ignore"):
        if question["kind"] == "layer":
            return _of_a_layer(thing, question)
        if question["kind"] == "optimizer":
            mine, memory = thing(**question["options"]), {"m": np.zeros((3, 4)), "v": np.zeros((3, 4))}
            w = question["w"].copy()
            for t, g in enumerate(question["g"], 1):
                mine.iterations = t
                mine.update(w, g.copy(), memory)
            return {"w": w, **memory}
        if question["kind"] == "loss":
            value, gradient = thing(question["logits"], question["y"])
            return {"value": np.asarray(value), "dlogits": gradient}
        return {"the map": thing(model, question["images"], question["classes"])}


def _of_a_layer(thing: Any, question: dict[str, Any]) -> dict[str, Any]:
    options = {key: tuple(value) if isinstance(value, list) else value for key, value in question["options"].items()}
    layer: nn.Layer = thing(**options)
    layer.astype("float64")
    layer.build(tuple(question["shape"]), np.random.default_rng(0))
    for key, value in layer.params.items():
        value[...] = question[f"param {key}"]
    y = np.array(layer.forward(question["x"].copy(), training=True))
    dx = layer.backward(question["dy"].copy())
    found = {"y": y, "dx": dx, **{f"the gradient of the {key}": value for key, value in layer.grads.items()}}
    return {key: np.asarray(value, float) for key, value in found.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
