"""An edited config.toml under an interrupted run: named key by key, and refused unless it is meant."""

from collections.abc import Callable
from typing import Any

from ..errors import InputError
from ..record import BadRunFile, Begun
from .config import TwoStageConfig
from .run_folder import RunFolder, recorded_settings


def check_unchanged(
    folder: RunFolder, config: TwoStageConfig, accept_changes: bool, say: Callable[[str], None]
) -> None:
    """InputError if `config`, which stands in the folder, is not what the run last ran by, unless that is accepted.

    Where the photos are may change: it is their content that a run goes on with. What is accepted is recorded, and
    said. A run of an earlier release recorded nothing to compare with.
    """
    if not folder.begun.exists():
        return
    try:
        begun = folder.begun.read()
    except BadRunFile as error:
        raise InputError(f"{error}. Or remove it, and config.toml is taken as it is") from None
    settings = recorded_settings(config)
    changes = _changes(begun["settings"], settings)
    if not changes:
        return
    told = "\n".join(f"  {key}: {before!r} -> {after!r}" for key, (before, after) in changes.items())
    if not accept_changes:
        raise InputError(
            f"--resume {folder.path}: {folder.config.name} was edited since the run began:\n{told}\n"
            "What is trained already was trained with the old values. Put them back, or use --accept-changes"
        )
    say(f"accepted, for what is still to be done:\n{told}")
    folder.begun.write(Begun(settings=settings, changes=[*begun["changes"], changes]))


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    """{key: [before, after]} of the values that differ; a key that the earlier release did not have is none."""
    return {key: [before[key], value] for key, value in after.items() if key in before and before[key] != value}
