"""What a figure of speed belongs to: the processor and what limits it."""

import pytest

from batik_scratch.bench import host


@pytest.fixture
def cpuinfo(monkeypatch):
    """cpuinfo(text or None) -> what is found on a machine whose /proc/cpuinfo says that."""

    def found(text):
        host.processor.cache_clear()
        monkeypatch.setattr(host.Path, "is_file", lambda self: text is not None)
        monkeypatch.setattr(host.Path, "read_text", lambda self, **_: text)
        monkeypatch.setattr(host.platform, "processor", lambda: "")
        monkeypatch.setattr(host.platform, "machine", lambda: "m68k")
        return host.processor()

    yield found
    host.processor.cache_clear()


@pytest.mark.parametrize(
    "text, expected",
    [
        ("model name\t: Chip 9\nflags\t: fpu avx avx2 avx512f\n\nmodel name: other\n", ("Chip 9", "AVX-512")),
        ("model name: Chip   9\nflags: fpu avx avx2\n", ("Chip 9", "AVX2")),
        ("model name: Chip 9\nflags: fpu\n", ("Chip 9", "")),
        ("Features\t: fp asimd\nCPU part: 0xd0c\n", ("m68k", "NEON")),
        (None, ("m68k", "")),
    ],
)
def test_the_processor_is_named_with_its_widest_vectors(text, expected, cpuinfo):
    assert cpuinfo(text) == expected


def test_what_keeps_a_program_from_its_best_is_said(cpuinfo, monkeypatch):
    for name in host.LIMITING:
        monkeypatch.delenv(name, raising=False)
    cpuinfo("model name: Chip 9\nflags: avx2\n")
    assert host.limits() == {} and host.told_in_words() == "Chip 9, AVX2"
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    monkeypatch.setenv("NUMBA_CPU_NAME", "")
    assert host.told_in_words() == "Chip 9, AVX2; OPENBLAS_CORETYPE=Haswell; ONEDNN_MAX_CPU_ISA=AVX2"
