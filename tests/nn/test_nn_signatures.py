"""Names and defaults that users type are promises: whoever changes one changes it here, and says so."""

import inspect

import pytest

from batik_scratch import nn
from batik_scratch.nn import gradcheck
from batik_scratch.nn.gradcheck.optimizers import adam_rule, sgd_rule

PROMISED = {
    nn.SGD: "learning_rate=0.01, momentum=0.0, nesterov=False",
    nn.Adam: "learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07",
    nn.CSVLogger: "path, append=False",
    nn.EarlyStopping: "monitor='val_loss', min_delta=0.0, patience=0, mode='auto', restore_best_weights=False",
    nn.ReduceLROnPlateau: "monitor='val_loss', factor=0.1, patience=10, mode='auto', min_delta=0.0001, cooldown=0, min_lr=0.0",
    nn.StopAtAccuracy: "threshold=0.9, monitor='val_accuracy'",
    nn.ProgressBar: "epochs, batches, bar=True",
    nn.Conv2D: "filters, kernel_size, strides=1, padding='valid', algorithm='im2col', "
    "kernel_initializer='glorot_uniform', name=None",
    nn.Dense: "units, kernel_initializer='glorot_uniform', name=None",
    nn.Dropout: "rate, name=None",
    nn.MaxPooling2D: "pool_size=2, strides=None, name=None",
    nn.SparseCategoricalCrossentropy: "from_logits=False",
    nn.paper_cnn: "input_shape=(150, 150, 3), classes=3, random_state=0, dtype='float32', algorithm='im2col', dropout=0.2",
    nn.Layer.forward: "self, x, training=False, keep=None",
    nn.Layer.backward: "self, dy, need_dx=True, need_grads=True",
    nn.Sequential: "layers, input_shape=None, random_state=None, dtype='float32'",
    nn.Sequential.forward: "self, x, training=False, keep=None, softmax=True",
    nn.Sequential.backward: "self, dy, need_dx=False, need_grads=True, softmax=True",
    nn.Sequential.compile: "self, optimizer=None, loss=None",
    nn.Sequential.fit: "self, x, y=None, batch_size=32, epochs=1, validation_data=None, callbacks=(), shuffle=True, verbose=1, "
    "initial_epoch=0, checkpoint=None",
    nn.Sequential.evaluate: "self, x, y=None, batch_size=32",
    nn.Sequential.predict: "self, x, batch_size=32",
    nn.Sequential.logits: "self, x, batch_size=32",
    nn.Sequential.trace: "self, x, y=None, seed=None",
    gradcheck.check_adjoint: "forward, adjoint, input_shape, seed=0, title='adjoint'",
    gradcheck.check_layer: "layer, input_shape, n=3, seed=0, samples=60, x=None, method='central difference'",
    gradcheck.check_loss: "loss, n=5, classes=4, seed=0, probabilities=False",
    gradcheck.check_model: "model, x, y, directions=5, seed=0, each_tensor=False",
    gradcheck.check_optimizer: "optimizer, reference, steps=7",
    adam_rule: "lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07",
    sgd_rule: "lr=0.01, momentum=0.0, nesterov=False",
}


@pytest.mark.parametrize("thing", PROMISED, ids=lambda thing: thing.__qualname__)
def test_names_order_and_defaults_are_as_promised(thing):
    arguments = inspect.signature(thing).parameters.values()
    told = [p.name if p.default is p.empty else f"{p.name}={p.default!r}" for p in arguments]
    assert ", ".join(told) == PROMISED[thing]
