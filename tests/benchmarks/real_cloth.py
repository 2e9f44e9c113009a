"""What the networks reach on photos of real cloth, beside a support vector machine on what one of them begins with.

    BATIK_PHOTOS=FOLDER python tests/benchmarks/real_cloth.py [--splits 20] [--networks cloth,paper] [--drawn]

Each split is the program's own: 25% of each class validate, seeds 0, 1, 2, ... Printed are, per split and as mean,
deviation and 95% interval over the splits (Student's t; the splits share photos, so the interval is somewhat narrow):

    cloth, paper    the network, trained as `run --network` trains it, the early stop off; the last epoch's answers
    SVC             scikit-learn's, on what a fresh cloth network's Log gives: the mean sizes of oriented filters,
                    turned into waves over the directions; C = 5, on standardised features
    dense           this package's own dense layers on the same features, as they stand in the cloth network

--drawn takes drawn cloth in place of photos. About half a minute a split for the cloth network on one slow core, and
two to four for the paper's.
"""

import argparse
import os
import time

import numpy as np
from scipy.stats import t
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from batik_scratch import nn
from batik_scratch.study.config import make_config
from batik_scratch.study.data import StudyData, load_study_data, to_unit
from batik_scratch.study.training import predict_rows, train_network


def trained(network: str, flags: dict, rows: dict[str, list[float]]) -> None:
    """Train `network` as a run does, and add its accuracy and its seconds of processor time."""
    config = make_config(flags | {"network": network, "stop_at_accuracy": 0.0})
    data = load_study_data(config)
    start = time.process_time()
    model, _ = train_network(config, data, data.images, verbose=0)
    right = predict_rows(model, data.images, data.validation).argmax(axis=1) == data.labels[data.validation]
    rows.setdefault(network, []).append(right.mean())
    rows.setdefault(f"{network}, CPU s", []).append(time.process_time() - start)


def features(data: StudyData, classes: int) -> np.ndarray:
    """What a fresh cloth network's Log gives for every image: (N, 32)."""
    model = nn.cloth_cnn(data.images.shape[1:], classes)
    parts = [model.trace(to_unit(data.images[i : i + 32]))["log"].activation for i in range(0, len(data.images), 32)]
    return np.concatenate(parts)  # (N, 32)


def on_features(flags: dict, rows: dict[str, list[float]]) -> None:
    """A support vector machine and this package's dense layers on the features of a fresh cloth network."""
    data = load_study_data(make_config(flags | {"network": "cloth"}))
    x, y = features(data, len(data.class_names)), data.labels  # (N, 32), (N,)
    machine = make_pipeline(StandardScaler(), SVC(C=5)).fit(x[data.train], y[data.train])
    rows.setdefault("SVC", []).append(machine.score(x[data.validation], y[data.validation]))
    layers = [nn.BatchNormalization(momentum=0.9), nn.Dense(256, kernel_initializer="he_uniform"), nn.ReLU()]
    layers += [nn.Dropout(0.5), nn.Dense(len(data.class_names)), nn.Softmax()]
    model = nn.Sequential(layers, x.shape[1:], random_state=flags["seed"])
    model.compile(nn.Adam())
    schedule = nn.LearningRateSchedule(1e-3, 30, 2)
    model.fit(x[data.train], y[data.train], batch_size=16, epochs=30, callbacks=[schedule], verbose=0)
    found = model.evaluate(x[data.validation], y[data.validation])
    rows.setdefault("dense", []).append(found["accuracy"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--splits", type=int, default=20)
    parser.add_argument("--networks", default="cloth,paper", help="which of the two, or none")
    parser.add_argument("--drawn", action="store_true", help="drawn cloth in place of BATIK_PHOTOS")
    args = parser.parse_args()
    rows: dict[str, list[float]] = {}
    for seed in range(args.splits):
        flags = {"seed": seed} | ({} if args.drawn else {"data": os.environ["BATIK_PHOTOS"]})
        on_features(flags, rows)
        for network in filter(None, args.networks.split(",")):
            trained(network, flags, rows)
        print(f"seed {seed}: " + ", ".join(f"{name} {values[-1]:.3f}" for name, values in rows.items()), flush=True)
    for name, values in rows.items():
        mean, deviation = np.mean(values), np.std(values, ddof=1)
        half = t.ppf(0.975, len(values) - 1) * deviation / np.sqrt(len(values))
        print(f"{name:12s} {mean:.3f}  deviation {deviation:.3f}  95% {mean - half:.3f} to {mean + half:.3f}")
    print(f"dense less SVC: {np.mean(np.subtract(rows['dense'], rows['SVC'])):+.3f}")


if __name__ == "__main__":
    main()
