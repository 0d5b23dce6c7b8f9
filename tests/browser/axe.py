"""axe-core on a page as it is shown: the success criteria of WCAG 2.2, levels A and AA, and axe's best practices."""

from functools import cache
from pathlib import Path

from playwright.sync_api import Page

from tests.peer.node import install_node_peer

PEER = Path(__file__).parents[1] / "peer" / "axe"
RUN = """async (part) => {
    const { violations } = await axe.run(part, { resultTypes: ["violations"] });
    return violations.flatMap(({ id, help, nodes }) =>
        nodes.map(({ target, failureSummary }) => `${id}: ${help}: ${target}: ${failureSummary.replaceAll("\\n", " ")}`));
}"""


@cache
def _source() -> str:
    return (install_node_peer(PEER) / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8")


def violations(page: Page, part: str = "html") -> list[str]:
    """What axe finds on the page as it is shown now: rule, element and reason of each; hidden parts are not looked at. part: the selector of what is looked at.

    Animations are over first: a colour in between would be taken for the page's.
    """
    page.evaluate(
        "() => Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => {})))"
    )
    page.evaluate(_source())  # by the browser's own protocol, which the page's policy does not concern
    found: list[str] = page.evaluate(RUN, part)
    return found
