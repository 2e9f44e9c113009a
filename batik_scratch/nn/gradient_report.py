"""What a gradient check found: a verdict per tensor, and a table of them."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class TensorCheck:
    """One tensor's verdict: the worst place, both values there, and how many places were compared and skipped."""

    name: str
    method: str
    error: float
    worst: tuple[int, ...]
    analytic: float
    numeric: float
    compared: int
    skipped: int
    ok: bool


@dataclass
class GradientReport:
    """All tensors of one check; `str()` is a table, `ok` the verdict."""

    title: str
    tensors: list[TensorCheck] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True where every tensor agrees, and there is one."""
        return bool(self.tensors) and all(tensor.ok for tensor in self.tensors)

    def raise_if_wrong(self) -> None:
        """AssertionError with the table unless everything agrees."""
        if not self.ok:
            raise AssertionError(f"wrong gradient\n{self}")

    def __str__(self) -> str:
        lines = [self.title]
        for t in self.tensors:
            verdict = "ok   " if t.ok else "WRONG"
            lines.append(
                f"  {verdict} {t.name:12s} error {t.error:.1e} at {t.worst}: analytic {t.analytic:+.8e}, "
                f"numeric {t.numeric:+.8e}  ({t.method}, {t.compared} compared, {t.skipped} skipped)"
            )
        return "\n".join(lines)
