"""The page of an experiment: what is said where, rendered from `experiment.html`."""

from collections.abc import Mapping

from ..page import Embedded, facts_of, plain, template
from . import tables
from .answer import answer, reading
from .found import Found


def render_page(found: Found, pictures: Mapping[str, Embedded]) -> str:
    """The whole page as HTML text that encodes as UTF-8."""
    text = template("experiment/experiment.html").render(
        found=found,
        title="Does training on saliency maps help?",
        answer=answer(found),
        reading=reading(found),
        pictures=pictures,
        accuracies=tables.accuracies(found),
        differences=tables.differences(found),
        to_saliency=tables.differences(found, "saliency"),
        to_stage_one=tables.differences(found, "stage_one"),
        permuted=tables.permuted(found),
        per_class=tables.per_class(found),
        arms=_arms(found),
        facts=facts_of(found.run),
        settings=[(key, plain(value)) for key, value in {**found.settings, **found.study}.items()],
    )
    return text.encode("utf-8", "replace").decode("utf-8")


def _arms(found: Found) -> list[tuple[str, str, str]]:
    """Name, kind and sentence of each arm."""
    return [(str(arm["title"]), str(arm["kind"]), str(arm["shows"])) for arm in found.arms.values()]
