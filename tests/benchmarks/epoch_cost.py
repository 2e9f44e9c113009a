"""What an epoch of `run` costs beside its bare training steps, and augmentation beside Keras' ImageDataGenerator.

    python tests/benchmarks/epoch_cost.py [--rounds 9] [--image-size 150]

The embedded data set is decoded beforehand, so the decoder's cache is warm. Each round times

    an epoch      `fit`'s own loop over the study's shuffled and augmented batches, with the callbacks of `run`
    bare steps    as many `train_step` calls, on the very same batches, prepared beforehand

in turn, now one first and now the other, so that a busy machine hurts both alike. What follows the training part of an
epoch, validation and the checkpoint (latest.npz and best.npz, with fsync), is timed apart. Then the augmentation of one
epoch alternates between this package, on all threads and on one, and Keras, which has one thread, in a process of its
own: same images, same ranges, the same batch size. Keras is left out where it is not installed. Medians are printed,
ratios of medians, and the quartiles of the rounds' own ratios.
"""

import argparse
import importlib.util
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

import numpy as np

from batik_scratch import images, nn
from batik_scratch.nn.fitting import loop
from batik_scratch.nn.fitting.progress import Progress
from batik_scratch.ops import threads
from batik_scratch.study import make_config
from batik_scratch.study.config import TwoStageConfig
from batik_scratch.study.data import StudyData, load_study_data
from batik_scratch.study.training import build_model, training_batches


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def epoch_rounds(config: TwoStageConfig, data: StudyData, rounds: int) -> dict[str, list[float]]:
    """Seconds of an epoch, of its bare steps, of validation and of the checkpoint, per round."""
    model = build_model(config, data.class_names)
    batches = training_batches(config, data.images, data.labels, data.train)
    held_out = images.AugmentedBatches(data.images, data.labels, config.batch_size, shuffle=False, rows=data.validation)
    prepared = list(batches)
    everyone = [nn.History(), nn.ReduceLROnPlateau("val_loss"), nn.ProgressBar(config.epochs, len(batches))]
    for callback in everyone:
        callback.model = model

    def bare_steps() -> None:
        for x, y in prepared:
            model.train_step(x, y)

    with tempfile.TemporaryDirectory() as folder:
        checkpoint = nn.Checkpoint(folder)

        def epoch() -> None:  # number 0 each time: the prepared batches, drawn anew
            logs.update(loop.train_epoch(model, model.train_step, batches, Progress(), everyone, checkpoint))
            everyone[-1].on_train_end(logs)  # closes the bar

        def save() -> None:
            checkpoint.best = float("inf")  # so that best.npz is written too
            checkpoint.after_epoch(model, everyone, Progress(1), logs)

        logs: dict[str, float] = {}
        work = {
            "epoch": epoch,
            "steps": bare_steps,
            "validation": lambda: logs.update(val_loss=loop.evaluate(model.loss_and_logits, held_out)["loss"]),
            "checkpoint": save,
        }
        for name in work:
            work[name]()  # compiles, and takes its memory
        spent: dict[str, list[float]] = {name: [] for name in work}
        for number in range(rounds):
            first, second = ("epoch", "steps") if number % 2 == 0 else ("steps", "epoch")
            for name in (first, second, "validation", "checkpoint"):
                spent[name].append(seconds(work[name]))
    return spent


def keras_epoch(config: TwoStageConfig, pixels: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    """One epoch of Keras' augmentation of these images."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    from keras.src.legacy.preprocessing.image import ImageDataGenerator

    generator = ImageDataGenerator(
        rotation_range=config.rotation_range,
        width_shift_range=config.shift_range,
        height_shift_range=config.shift_range,
        zoom_range=config.zoom_range,
        horizontal_flip=config.horizontal_flip,
        rescale=1 / 255,
    )
    flow = generator.flow(pixels, labels, config.batch_size, seed=0)
    return lambda: [next(flow)[0].shape for _ in range(len(flow))]


def serve_keras(config: TwoStageConfig, pixels: np.ndarray, labels: np.ndarray, pipe: Connection) -> None:
    """Augment an epoch whenever asked, and send back the seconds."""
    epoch = keras_epoch(config, pixels, labels)
    epoch()
    pipe.send("ready")
    while pipe.recv():
        pipe.send(seconds(epoch))


def augmentation_rounds(config: TwoStageConfig, data: StudyData, rounds: int) -> dict[str, list[float]]:
    """Seconds of one epoch's augmentation per program and round."""
    batches = training_batches(config, data.images, data.labels, data.train)

    def ours(most: int) -> float:
        threads.use(most)
        took = seconds(lambda: [x.shape for x, _ in batches])
        threads.use(threads.allowed())
        return took

    work = {"all threads": lambda: ours(threads.allowed()), "one thread": lambda: ours(1)}
    pipe = None
    if importlib.util.find_spec("keras") and importlib.util.find_spec("tensorflow"):
        context = multiprocessing.get_context("spawn")
        pipe, there = context.Pipe()
        pixels = np.ascontiguousarray(data.images[data.train])
        context.Process(target=serve_keras, args=(config, pixels, data.labels[data.train], there), daemon=True).start()
        assert pipe.recv() == "ready"

        def theirs() -> float:
            pipe.send(True)
            return pipe.recv()

        work["Keras"] = theirs
    spent: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(1 + rounds):  # the first one is not counted
        for name in work:
            spent[name].append(work[name]())
    if pipe is not None:
        pipe.send(False)
    return {name: values[1:] for name, values in spent.items()}


def ratio(over: list[float], under: list[float]) -> str:
    """The ratio of medians, and the quartiles of the rounds' ratios."""
    quartiles = np.percentile(np.divide(over, under), (25, 75))
    return (
        f"{statistics.median(over) / statistics.median(under):.3f}x "
        f"(quartiles {quartiles[0]:.3f} to {quartiles[1]:.3f})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--image-size", type=int, default=150)
    args = parser.parse_args()
    config = make_config({"image_size": args.image_size})
    data = load_study_data(config)
    spent = epoch_rounds(config, data, args.rounds)
    augmented = augmentation_rounds(config, data, args.rounds)
    count, median = len(data.train), {name: statistics.median(values) for name, values in spent.items()}
    print(
        f"{count} training images of {args.image_size} pixels, batch {config.batch_size}, {threads.allowed()} threads; "
        f"medians of {args.rounds} interleaved rounds"
    )
    print(f"epoch, training part    {median['epoch']:8.3f} s")
    print(f"its bare steps          {median['steps']:8.3f} s   epoch / steps {ratio(spent['epoch'], spent['steps'])}")
    print(f"validation              {median['validation']:8.3f} s   ({len(data.validation)} images)")
    print(f"checkpoint              {median['checkpoint']:8.3f} s")
    for name, values in augmented.items():
        line = f"augmentation, {name:12s}{1e3 * statistics.median(values) / count:6.3f} ms per image"
        if name != "Keras" and "Keras" in augmented:
            line += f"   Keras takes {ratio(augmented['Keras'], values)}"
        print(line)


if __name__ == "__main__":
    main()
