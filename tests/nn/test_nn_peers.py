"""PyTorch as an oracle: the same network, weights and batches (marker peers; skipped without torch)."""

import numpy as np
import pytest

from batik_scratch import nn

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
SIZE, BATCH = 32, 8


def twins(dtype):
    """The paper's network twice, without dropout, with the same weights."""
    ours = nn.paper_cnn((SIZE, SIZE, 3), random_state=5, dtype=dtype, dropout=0.0)
    ours.compile(nn.Adam(1e-3))
    side = ours.layers[8].output_shape[0]
    theirs = torch.nn.Sequential(
        *(
            part
            for c, f in ((3, 32), (32, 64), (64, 128))
            for part in (torch.nn.Conv2d(c, f, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2))
        ),
        torch.nn.Flatten(),
        torch.nn.Linear(side * side * 128, 64),
        torch.nn.ReLU(),
        torch.nn.Linear(64, 3),
    ).to(getattr(torch, dtype))
    with torch.no_grad():
        for parameter, w in zip(theirs.parameters(), ours.get_weights(), strict=True):
            parameter.copy_(torch.from_numpy(to_torch(w, side)))
    return ours, theirs, side


def to_torch(w, side):
    """Keras' layouts to PyTorch's: HWIO -> OIHW; (in, out) -> (out, in), features from H, W, C order to C, H, W."""
    if w.ndim == 4:
        return np.ascontiguousarray(w.transpose(3, 2, 0, 1))
    if w.ndim == 2 and len(w) == side * side * 128:
        return np.ascontiguousarray(w.reshape(side, side, 128, -1).transpose(3, 2, 0, 1).reshape(-1, len(w)))
    return np.ascontiguousarray(w.T) if w.ndim == 2 else w


def batches(dtype, count):
    rng = np.random.default_rng(6)
    for _ in range(count):
        yield rng.random((BATCH, SIZE, SIZE, 3)).astype(dtype), rng.integers(0, 3, BATCH)


def torch_loss(theirs, x, y):
    logits = theirs(torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2))))
    return torch.nn.functional.cross_entropy(logits, torch.from_numpy(y))


@pytest.mark.parametrize("shape", [(4, 5, 6, 3), (1, 7, 3, 2), (9, 4), (2, 5)])
def test_batch_normalisation_in_training_and_at_rest_agrees_in_float64(shape):
    rng, c = np.random.default_rng(3), shape[-1]
    ours = nn.BatchNormalization(momentum=0.9).astype("float64")
    ours.build(shape[1:], rng)
    theirs = (torch.nn.BatchNorm2d if len(shape) == 4 else torch.nn.BatchNorm1d)(c, eps=1e-3, momentum=0.1).double()
    ours.params["gamma"] += rng.standard_normal(c)
    with torch.no_grad():
        theirs.weight[:] = torch.from_numpy(ours.params["gamma"])
    places = np.prod(shape[:-1])
    for step in range(3):
        x, dy = 2 * rng.standard_normal(shape) + 30, rng.standard_normal(shape)
        training = step < 2
        if not training:  # PyTorch's running variance is moved by the unbiased one
            theirs.eval()
            decayed = 0.9**2
            unbiased = decayed + (ours.params["moving_variance"] - decayed) * places / (places - 1)
            np.testing.assert_allclose(theirs.running_var.numpy(), unbiased, rtol=1e-12)
            np.testing.assert_allclose(theirs.running_mean.numpy(), ours.params["moving_mean"], rtol=1e-12)
            ours.params["moving_variance"][...] = theirs.running_var.numpy()
        theirs.zero_grad()
        given = torch.tensor(np.moveaxis(x, -1, 1).copy(), requires_grad=True)
        y = theirs(given)
        y.backward(torch.tensor(np.moveaxis(dy, -1, 1).copy()))
        found = [ours.forward(x, training=training, keep=True), ours.backward(dy), *ours.grads.values()]
        expected = [np.moveaxis(tensor.detach().numpy(), 1, -1) for tensor in (y, given.grad)]
        expected += [theirs.weight.grad.numpy(), theirs.bias.grad.numpy()]
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=0, atol=1e-10)


def test_fifty_adam_steps_have_the_same_losses_in_float64():
    ours, theirs, _ = twins("float64")
    optimizer = torch.optim.Adam(theirs.parameters(), lr=1e-3)
    worst = 0.0
    for t, (x, y) in enumerate(batches("float64", 50), start=1):
        # Keras puts epsilon beside the uncorrected root: in PyTorch's form that is this epsilon
        optimizer.param_groups[0]["eps"] = 1e-7 / np.sqrt(1 - 0.999**t)
        optimizer.zero_grad()
        loss = torch_loss(theirs, x, y)
        loss.backward()
        optimizer.step()
        worst = max(worst, abs(ours.train_step(x, y)[0] - loss.item()))
    assert worst < 1e-9


def test_the_first_loss_and_gradients_agree_in_float32():
    ours, theirs, side = twins("float32")
    x, y = next(batches("float32", 1))
    loss = torch_loss(theirs, x, y)
    loss.backward()
    assert abs(ours.train_gradients(x, y) - loss.item()) < 1e-6
    gradients = [g for layer in ours.layers for g in layer.grads.values()]
    for mine, parameter in zip(gradients, theirs.parameters(), strict=True):
        reference = parameter.grad.numpy()
        assert np.abs(to_torch(mine, side) - reference).max() <= 1e-5 * np.abs(reference).max()
