"""The stages of a study, in order: the one list of them."""

from enum import StrEnum


class StageName(StrEnum):
    """A stage by the name of its folder, which is also its key wherever something is kept for each stage."""

    FIRST = "stage1"
    SECOND = "stage2"

    @property
    def words(self) -> str:
        """As it stands in a sentence."""
        return {"stage1": "stage one", "stage2": "stage two"}[self]

    @property
    def sees(self) -> str:
        """What its network is shown; nothing else is different between the stages."""
        return {"stage1": "images", "stage2": "images with saliency"}[self]


STAGES = tuple(StageName)
