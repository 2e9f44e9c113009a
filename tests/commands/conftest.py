"""One small data set and one small trained network, shared by all tests of the commands; tests read them, no more."""

import contextlib
import io
import signal
from types import SimpleNamespace

import pytest
from command_pictures import SIDE, unit
from matplotlib.figure import Figure

from batik_scratch import images, motifs, nn
from batik_scratch.cli import main

COUNTS = (5, 7, 9)  # different ones: a swap of two classes shows


@pytest.fixture(scope="session")
def cloths(tmp_path_factory):
    """A drawn data set of COUNTS images, 40 pixels wide."""
    return motifs.write_dataset(tmp_path_factory.mktemp("cloths") / "d", COUNTS, seed=11, size=40, progress=False)


@pytest.fixture(scope="session")
def trained(cloths, tmp_path_factory):
    """`train` of 3 epochs on the cloths: where the model file is, the model, its class names, and what was printed."""
    file, said = tmp_path_factory.mktemp("model") / "m.npz", io.StringIO()
    command = ["train", "--data", cloths, "--image-size", SIDE, "--epochs", 3, "--seed", 3, "--out", file]
    with contextlib.redirect_stdout(said):
        assert main([str(part) for part in command]) == 0
    model = nn.Sequential.load(file)
    return SimpleNamespace(file=file, model=model, names=model.metadata["class_names"], said=said.getvalue())


@pytest.fixture(scope="session")
def judge(trained, cloths, tmp_path_factory):
    """The trained network made bold: its logits spread and shifted, so that it names every class, some wrongly."""
    model = nn.Sequential.load(trained.file)
    x = unit(images.load_folder(cloths, SIDE).images)
    last = model.layers[-2]
    assert isinstance(last, nn.Dense)
    logits = model.logits(x)  # (N, U)
    wider = 1.5 / logits.std(axis=0)  # (U,)
    last.params["kernel"] *= wider
    last.params["bias"][...] = (last.params["bias"] - logits.mean(axis=0)) * wider + [0.3, 0.1, -0.1]
    file = tmp_path_factory.mktemp("judge") / "judge.npz"
    model.save(file)
    assert set(model.predict(x).argmax(axis=1)) == {0, 1, 2}
    return SimpleNamespace(file=file, model=nn.Sequential.load(file), names=trained.names)


@pytest.fixture
def renamed(judge, tmp_path):
    """renamed(names, file name) -> a file of the judge with other class names, and perhaps other metadata."""

    def write(names, name="renamed.npz", **changes):
        model = nn.Sequential.load(judge.file)
        model.metadata = model.metadata | {"class_names": names} | changes
        model.save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def command(capsys):
    """command(code, *words) -> what `batik-scratch *words` printed, out and err, after it ended with that code."""

    def run(code, *words):
        capsys.readouterr()
        assert main([str(word) for word in words]) == code
        return capsys.readouterr()

    before = signal.getsignal(signal.SIGTERM)
    yield run
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def figures(monkeypatch):
    """Every figure that becomes a PNG during the test, in order, as matplotlib has it; the file is an empty one."""
    found = []
    monkeypatch.setattr(Figure, "savefig", lambda self, file, **options: found.append(self))
    return found


@pytest.fixture
def noted(monkeypatch):
    """noted(module, name, answer) puts something in place of module.name that notes its arguments and answers so."""

    def replace(module, name, answer=None):
        calls = []

        def instead(*arguments, **options):
            calls.append((arguments, options))
            if isinstance(answer, BaseException):
                raise answer
            return answer

        monkeypatch.setattr(module, name, instead)
        return calls

    return replace
