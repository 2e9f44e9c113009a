"""What an experiment found, read from its results.json, and asked for by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

KINDS = (
    ("claim", "the claim"),
    ("leak", "a leak on purpose"),
    ("control", "a control"),
    ("bound", "the best map there is"),
)


@dataclass(frozen=True)
class Found:
    """results.json, and run.json where there is one."""

    results: Mapping[str, Any]
    run: Mapping[str, Any]

    @property
    def arms(self) -> Mapping[str, Mapping[str, Any]]:
        """The arms with what they reached, in the experiment's order."""
        return self.results["arms"]

    @property
    def data(self) -> Mapping[str, Any]:
        """What the images are."""
        return self.results["data"]

    @property
    def drawn(self) -> bool:
        """Whether the images were drawn by code rather than photographed."""
        return self.data["source"] == "drawn"

    @property
    def settings(self) -> Mapping[str, Any]:
        """The experiment's own settings."""
        return self.results["settings"]["experiment"]

    @property
    def study(self) -> Mapping[str, Any]:
        """The settings of each training."""
        return self.results["settings"]["study"]

    def title(self, arm: str) -> str:
        """An arm's name in words."""
        return str(self.arms[arm]["title"])

    def kind(self, arm: str) -> str:
        """What an arm is for."""
        return str(self.arms[arm]["kind"])

    def differences(self, against: str = "images") -> list[Mapping[str, Any]]:
        """The differences to an arm that can be stated, in the experiment's order."""
        found: Sequence[Mapping[str, Any]] = self.results["differences" if against == "images" else f"to_{against}"]
        return [one for one in found if one.get("low") is not None]

    def difference(self, arm: str, against: str = "images") -> Mapping[str, Any] | None:
        """One of them; None if it cannot be stated yet."""
        return next((one for one in self.differences(against) if one["arm"] == arm), None)

    def accuracy(self, arm: str) -> Mapping[str, Any] | None:
        """Mean and interval of an arm's accuracy; None if it cannot be stated yet."""
        return self.arms.get(arm, {}).get("accuracy")
