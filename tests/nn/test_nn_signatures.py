"""Names and defaults that users type are promises: whoever changes one changes it here, and says so."""

import inspect

import numpy as np
import pytest

from batik_scratch import nn
from batik_scratch.nn import gradcheck
from batik_scratch.nn.gradcheck.optimizers import adam_rule, adamw_rule, sgd_rule

PROMISED = {
    nn.SGD: "learning_rate=0.01, momentum=0.0, nesterov=False",
    nn.Adam: "learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07",
    nn.AdamW: "learning_rate=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-07",
    nn.CSVLogger: "path, append=False",
    nn.EarlyStopping: "monitor='val_loss', min_delta=0.0, patience=0, mode='auto', restore_best_weights=False",
    nn.LearningRateSchedule: "learning_rate, epochs, warmup_epochs=0",
    nn.WarmUp: "learning_rate, batches",
    nn.ReduceLROnPlateau: "monitor='val_loss', factor=0.1, patience=10, mode='auto', min_delta=0.0001, "
    "cooldown=0, min_lr=0.0",
    nn.StopAtAccuracy: "threshold=0.9, monitor='val_accuracy'",
    nn.ProgressBar: "epochs, batches, bar=True",
    nn.Conv2D: "filters, kernel_size, strides=1, padding='valid', algorithm='im2col', "
    "kernel_initializer='glorot_uniform', name=None, bias_initializer='zeros'",
    nn.Dense: "units, kernel_initializer='glorot_uniform', name=None",
    nn.Dropout: "rate, name=None",
    nn.AveragePooling2D: "pool_size=2, strides=None, name=None, padding='valid'",
    nn.BatchNormalization: "momentum=0.99, epsilon=0.001, name=None",
    nn.Log: "epsilon=1e-06, name=None",
    nn.Rescaling: "scale, offset=0.0, name=None",
    nn.Standardization: "epsilon=0.001, name=None",
    nn.MaxPooling2D: "pool_size=2, strides=None, name=None, padding='valid'",
    nn.LeakyReLU: "negative_slope=0.3, name=None",
    nn.SparseCategoricalCrossentropy: "from_logits=False",
    nn.paper_cnn: "input_shape=(150, 150, 3), classes=3, random_state=0, dtype='float32', "
    "algorithm='im2col', dropout=0.2, first_bias='centred'",
    nn.cloth_cnn: "input_shape=(64, 64, 3), classes=3, random_state=0, dtype='float32', algorithm='auto', dropout=0.3",
    nn.Layer.forward: "self, x, training=False, keep=None",
    nn.Layer.backward: "self, dy, need_dx=True, need_grads=True",
    nn.Sequential: "layers=None, input_shape=None, random_state=None, dtype='float32'",
    nn.Sequential.forward: "self, x, training=False, keep=None, softmax=True",
    nn.Sequential.backward: "self, dy, need_dx=False, need_grads=True, softmax=True",
    nn.Sequential.compile: "self, optimizer=None, loss=None, metrics=()",
    nn.Sequential.fit: "self, x, y=None, batch_size=32, epochs=1, validation_data=None, callbacks=(), shuffle=True, "
    "verbose=1, initial_epoch=0, checkpoint=None, validation_split=0.0, class_weight=None, sample_weight=None",
    nn.Sequential.__call__: "self, x, training=False",
    nn.Sequential.evaluate: "self, x, y=None, batch_size=32",
    nn.Sequential.predict: "self, x, batch_size=32",
    nn.Sequential.logits: "self, x, batch_size=32",
    nn.Sequential.trace: "self, x, y=None, seed=None",
    gradcheck.check_adjoint: "forward, adjoint, input_shape, seed=0, title='adjoint'",
    gradcheck.check_layer: "layer, input_shape, n=3, seed=0, samples=60, x=None, method='central difference', "
    "thorough=False",
    gradcheck.check_loss: "loss, n=5, classes=4, seed=0, probabilities=False, targets='classes'",
    gradcheck.check_model: "model, x, y, directions=5, seed=0, each_tensor=False",
    gradcheck.check_optimizer: "optimizer, reference, steps=7",
    adam_rule: "lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07",
    adamw_rule: "lr=0.001, weight_decay=0.004, beta_1=0.9, beta_2=0.999, epsilon=1e-07",
    sgd_rule: "lr=0.01, momentum=0.0, nesterov=False",
}


@pytest.mark.parametrize("thing", PROMISED, ids=lambda thing: thing.__qualname__)
def test_names_order_and_defaults_are_as_promised(thing):
    arguments = inspect.signature(thing).parameters.values()
    told = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in arguments]
    assert ", ".join(told) == PROMISED[thing]


def attributes(thing, *names):
    return [getattr(thing, name) for name in names]


def test_what_is_left_out_has_its_documented_value():
    assert attributes(nn.SGD(), "learning_rate", "momentum", "nesterov") == [0.01, 0.0, False]
    assert attributes(nn.Adam(), "learning_rate", "beta_1", "beta_2", "epsilon") == [0.001, 0.9, 0.999, 1e-7]
    adamw = ["learning_rate", "weight_decay", "beta_1", "beta_2", "epsilon"]
    assert attributes(nn.AdamW(), *adamw) == [0.001, 0.004, 0.9, 0.999, 1e-7]
    assert nn.LearningRateSchedule(0.1, 3).warmup_epochs == 0
    plateau = ["monitor", "factor", "patience", "min_delta", "cooldown", "min_lr", "upwards"]
    assert attributes(nn.ReduceLROnPlateau(), *plateau) == ["val_loss", 0.1, 10, 1e-4, 0, 0.0, False]
    stop = ["monitor", "min_delta", "patience", "restore_best_weights", "upwards"]
    assert attributes(nn.EarlyStopping(), *stop) == ["val_loss", 0.0, 0, False, False]
    assert attributes(nn.StopAtAccuracy(), "threshold", "monitor") == [0.9, "val_accuracy"]
    conv = ["kernel_size", "strides", "padding", "algorithm", "kernel_initializer", "name", "named_by_user"]
    assert attributes(nn.Conv2D(2, 3), *conv) == [
        (3, 3), (1, 1), "valid", "im2col", "glorot_uniform", "conv2d", False,
    ]  # fmt: skip
    assert attributes(nn.Dense(2), "kernel_initializer", "name") == ["glorot_uniform", "dense"]
    assert attributes(nn.MaxPooling2D(), "pool_size", "strides") == [(2, 2), (2, 2)]
    assert nn.SparseCategoricalCrossentropy().from_logits is False
    assert nn.CSVLogger("log.csv").append is False and nn.ProgressBar(3, 4).bar is True
    assert nn.Checkpoint("folder").every == 1 and nn.Checkpoint("folder").should_stop() is False
    model = nn.Sequential([nn.Dense(2)])
    assert (model.dtype, model.input_shape, model.metadata, model.loss) == ("float32", None, {}, None)
    model.compile()
    assert (type(model.optimizer), model.optimizer.learning_rate, model.loss.from_logits) == (nn.Adam, 0.001, False)


def test_a_training_of_which_nothing_is_said_takes_32_at_a_time_once_and_prints_a_line(capsys):
    seen = []

    class Watch(nn.Layer):
        def forward(self, x, training=False, keep=None):
            seen.append((training, len(x)))
            return x.copy()

        def backward(self, dy, need_dx=True, need_grads=True):
            return dy.copy()

    model = nn.Sequential([Watch(), nn.Dense(3), nn.Softmax()], (4,), 0)
    model.compile()
    x, y = np.random.default_rng(0).random((70, 4)), np.arange(70) % 3
    assert model.fit(x, y).epoch == [0]
    assert seen == [(True, 32), (True, 32), (True, 6)] and capsys.readouterr().out.count("\n") == 1
    for use in (model.predict, model.logits, lambda x: model.evaluate(x, y)):
        seen.clear()
        use(x)
        assert seen == [(False, 32), (False, 32), (False, 6)]


def test_a_check_of_which_nothing_is_said_is_of_three_images_sixty_places_five_directions_and_seven_steps():
    report = gradcheck.check_layer(nn.Dense(3), (25,))
    assert [(t.name, t.method, t.compared) for t in report.tensors] == [
        ("dx", "central difference", 60), ("kernel", "central difference", 60), ("bias", "central difference", 3),
        ("all", "random direction", 5),
    ]  # fmt: skip
    assert report.title == "Dense(units=3) (25,)" and report.input_shape == (25,) and isinstance(report.layer, nn.Dense)
    loss = gradcheck.check_loss(nn.SparseCategoricalCrossentropy.on_logits)
    assert loss.title == "loss (5, 4)" and [t.compared for t in loss.tensors] == [20, 20]
    assert gradcheck.check_optimizer(nn.SGD(), sgd_rule()).title == "SGD, 7 steps"
    identity = gradcheck.check_adjoint(lambda x: 2 * x, lambda y: 2 * y, (3, 2))
    assert identity.title == "adjoint (3, 2)" and [(t.name, t.method, t.compared) for t in identity.tensors] == [
        ("pairing", "adjoint identity", 5)
    ]
