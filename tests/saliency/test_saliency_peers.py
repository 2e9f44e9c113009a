"""captum as an oracle: the paper's network at 64 pixels in float64 (marker peers; skipped without captum)."""

import numpy as np
import pytest

from batik_scratch import nn, saliency

torch = pytest.importorskip("torch")
captum = pytest.importorskip("captum.attr")
pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]
SIZE, N, TARGET = 64, 3, 1


class Twin(torch.nn.Module):
    """The paper's network in PyTorch, each ReLU its own module; flattened in a function, which captum's LRP needs."""

    def __init__(self, ours):
        super().__init__()
        side = ours.get_layer("max_pooling2d_2").output_shape[0]
        pairs = ((3, 32), (32, 64), (64, 128))
        self.convolutions = torch.nn.ModuleList(torch.nn.Conv2d(c, f, 3) for c, f in pairs)
        self.relus = torch.nn.ModuleList(torch.nn.ReLU() for _ in range(4))
        self.pools = torch.nn.ModuleList(torch.nn.MaxPool2d(2) for _ in range(3))
        self.hidden, self.out = torch.nn.Linear(side * side * 128, 64), torch.nn.Linear(64, 3)
        self.double()
        with torch.no_grad():
            for parameter, w in zip(self.parameters(), ours.get_weights(), strict=True):
                if w.ndim == 4:
                    w = w.transpose(3, 2, 0, 1)
                elif w.shape[0] == side * side * 128:
                    w = w.reshape(side, side, 128, -1).transpose(3, 2, 0, 1).reshape(w.shape[1], -1)
                elif w.ndim == 2:
                    w = w.T
                parameter.copy_(torch.from_numpy(np.ascontiguousarray(w)))

    def forward(self, x):
        for convolution, relu, pool in zip(self.convolutions, self.relus, self.pools, strict=False):
            x = pool(relu(convolution(x)))
        return self.out(self.relus[3](self.hidden(torch.flatten(x, 1))))


@pytest.fixture(scope="module")
def both():
    ours = nn.paper_cnn((SIZE, SIZE, 3), random_state=3, dtype="float64", dropout=0.0)
    rng = np.random.default_rng(0)
    for layer in ours.layers:
        if "bias" in layer.params:
            layer.params["bias"][...] = rng.normal(0, 0.05, layer.params["bias"].shape)
    x = rng.random((N, SIZE, SIZE, 3))
    twin = Twin(ours).eval()
    assert np.abs(twin(to_torch(x)).detach().numpy() - ours.logits(x)).max() < 1e-12
    return ours, twin, x


def to_torch(x):
    return torch.from_numpy(np.ascontiguousarray(x.transpose(0, 3, 1, 2)))


def to_ours(maps):
    return maps.detach().numpy().transpose(0, 2, 3, 1)


def assert_agree(ours, theirs, tolerance=1e-6):
    theirs = to_ours(theirs)
    assert np.abs(ours).max() > 0 and np.abs(ours - theirs).max() <= tolerance * np.abs(theirs).max()


def test_gradient(both):
    ours, twin, x = both
    assert_agree(
        saliency.Gradient(ours).attribute(x, target=TARGET),
        captum.Saliency(twin).attribute(to_torch(x).requires_grad_(), target=TARGET, abs=False),
    )


def test_gradient_times_input(both):
    ours, twin, x = both
    assert_agree(
        saliency.GradientTimesInput(ours).attribute(x, target=TARGET),
        captum.InputXGradient(twin).attribute(to_torch(x).requires_grad_(), target=TARGET),
    )


def test_integrated_gradients(both):
    ours, twin, x = both
    theirs = captum.IntegratedGradients(twin).attribute(
        to_torch(x), baselines=0.25, target=TARGET, n_steps=20, method="gausslegendre"
    )
    assert_agree(saliency.IntegratedGradients(ours, 20, 0.25).attribute(x, target=TARGET), theirs)


@pytest.mark.parametrize(
    ("statistic", "kind"), [("mean", "smoothgrad"), ("squared", "smoothgrad_sq"), ("variance", "vargrad")]
)
def test_smoothgrad_with_the_same_noise(both, monkeypatch, statistic, kind):
    ours, twin, x = both
    noise = np.random.default_rng(1).normal(size=(5, SIZE, SIZE, 3))
    spread = np.ptp(x, axis=(1, 2, 3)).reshape(N, 1, 1, 1)
    # captum repeats each image n times in a row, and adds noise of one absolute size
    injected = to_torch(np.concatenate([0.1 * spread[i] * noise for i in range(N)]))
    monkeypatch.setattr(torch, "normal", lambda mean, std: injected)
    theirs = captum.NoiseTunnel(captum.Saliency(twin)).attribute(
        to_torch(x).requires_grad_(), nt_type=kind, nt_samples=5, stdevs=1.0, target=TARGET, abs=False
    )
    assert_agree(
        saliency.SmoothGrad(ours, sigma=0.1, statistic=statistic, noise=noise).attribute(x, target=TARGET), theirs
    )


def test_occlusion(both):
    ours, twin, x = both
    theirs = captum.Occlusion(twin).attribute(
        to_torch(x), sliding_window_shapes=(3, 15, 15), strides=(3, 9, 9), baselines=0.5, target=TARGET
    )
    assert_agree(saliency.Occlusion(ours, 15, 9, fill=0.5).attribute(x, target=TARGET), theirs)


def test_guided_backprop_and_deconvnet(both):
    ours, twin, x = both
    theirs = captum.GuidedBackprop(twin).attribute(to_torch(x).requires_grad_(), target=TARGET)
    assert_agree(saliency.GuidedBackprop(ours).attribute(x, target=TARGET), theirs)
    theirs = captum.Deconvolution(twin).attribute(to_torch(x).requires_grad_(), target=TARGET)
    assert_agree(saliency.Deconvnet(ours).attribute(x, target=TARGET), theirs)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_grad_cam_of_each_block_and_its_upsampling(both, index):
    ours, twin, x = both
    name = ["re_lu", "re_lu_1", "re_lu_2"][index]
    theirs = captum.LayerGradCam(twin, twin.relus[index]).attribute(
        to_torch(x).requires_grad_(), target=TARGET, relu_attributions=True
    )
    assert_agree(saliency.GradCAM(ours, name, upsample=False).attribute(x, target=TARGET), theirs)
    large = torch.nn.functional.interpolate(theirs, (SIZE, SIZE), mode="bilinear", align_corners=False)
    assert_agree(saliency.GradCAM(ours, name).attribute(x, target=TARGET), large)


def test_lrp(both):
    from captum.attr._utils.lrp_rules import EpsilonRule

    ours, twin, x = both
    for layer in (*twin.convolutions, *twin.pools, twin.hidden, twin.out):
        layer.rule = EpsilonRule(epsilon=1e-4)
    theirs = captum.LRP(twin).attribute(to_torch(x).requires_grad_(), target=TARGET)
    assert_agree(saliency.LRP(ours, 1e-4).attribute(x, target=TARGET), theirs)
