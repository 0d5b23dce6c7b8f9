"""python -m benchmarks.page [--rounds 5] [--posts 1000]

Chromium's own figures over its protocol: the first paint and the bytes of a first and a second visit, the longest task while POSTS
posts are loaded by scrolling up, and the time from the key that sends a post to the moment at which another person's page shows it.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, NAMES
from tests.browser.server import running_server
from tests.browser.visitor import Visitor
from tests.peer.required import find_program

PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
WATCH_TASKS = """() => {
    window.tasks = [];
    new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map(({ duration }) => duration)))
        .observe({ type: "longtask", buffered: true });
}"""
WATCH_POSTS = """() => {
    window.heard = [];
    new MutationObserver((changes) => changes.some(({ addedNodes }) => addedNodes[0]?.matches?.(".post, :has(> .post)")) && window.heard.push(Date.now()))
        .observe(document.getElementById("room-posts"), { childList: true, subtree: true });
}"""
LOAD_ALL = """async (count) => {
    const log = document.getElementById("room-log");
    const shown = document.getElementsByClassName("post");
    while (shown.length < count) {
        log.scrollTop = 0;
        await new Promise((resolve) => { setTimeout(resolve, 50); });
    }
}"""
ENDS_WITH = "text => [...document.getElementsByClassName('post')].at(-1).textContent.includes(text)"
NOTE_KEYS = """() => {
    window.sent = [];
    document.getElementById("compose-content").addEventListener("keydown",
        ({ key }) => key === "Enter" && window.sent.push(Date.now()), { capture: true });
}"""
SPOKEN = 30


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--posts", type=int, default=1000)
    return parser.parse_args()


@contextmanager
def counted(page: Page) -> Iterator[list[float]]:
    """The bytes of each answer as they came, its header included."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    yield sizes
    session.detach()


def visit(browser: Browser, url: str) -> dict[str, float]:
    """One first visit and one more, by somebody who was never here."""
    context = browser.new_context(locale="en-GB")
    page, figures = context.new_page(), {}
    for name in ("first", "second"):
        with counted(page) as sizes:
            page.goto(url, wait_until="networkidle")
            figures[f"{name} visit, first paint"] = page.evaluate(PAINT)
            figures[f"{name} visit, KB"] = sum(sizes) / 1000
    context.close()
    return figures


def many_posts(browser: Browser, url: str, count: int) -> dict[str, float]:
    """The longest task of the page while all posts are loaded by scrolling."""
    reader = Visitor(browser, url)
    reader.sign_up("reader")
    reader.create_room("Many")
    reader.post_directly(*(f"post {number} https://example.org/{number} @reader" for number in range(count)))
    reader.page.reload()
    reader.page.evaluate(WATCH_TASKS)
    # In the page, and by the field's own id: the browser tool looks at every element for a label, a long task of its own.
    reader.page.evaluate(LOAD_ALL, count)
    reader.find("#compose-content").fill("one more")
    reader.page.keyboard.press("Enter")
    reader.page.wait_for_function(ENDS_WITH, arg="one more")
    tasks: list[float] = reader.page.evaluate("() => window.tasks")
    reader.close()
    return {"longest task": max(tasks, default=0), "tasks over 50 ms": len(tasks)}


def heard(browser: Browser, url: str) -> dict[str, float]:
    """From a key to another person's screen."""
    one, other = Visitor(browser, url), Visitor(browser, url)
    one.sign_up("speaker")
    other.sign_up("listener")
    one.create_room("Talk", "listener")
    other.enter("Talk")
    one.page.evaluate(NOTE_KEYS)
    other.page.evaluate(WATCH_POSTS)
    for number in range(SPOKEN):
        one.post(f"word {number}")
        expect(other.find("#room-posts .post")).to_have_count(number + 1)
    sent, came = one.page.evaluate("() => window.sent"), other.page.evaluate("() => window.heard")
    waits = sorted(after - before for before, after in zip(sent, came, strict=True))
    one.close()
    other.close()
    return {"heard after, median": statistics.median(waits), "heard after, longest": waits[-1]}


def main() -> None:
    asked = options()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_server(Path(folder)) as server,
        sync_playwright() as tool,
    ):
        path = find_program("chromium", *NAMES)
        browser = tool.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        visits: list[dict[str, Any]] = [visit(browser, server.url) for _ in range(asked.rounds)]
        figures = {name: statistics.median(row[name] for row in visits) for name in visits[0]}
        figures |= many_posts(browser, server.url, asked.posts)
        figures |= heard(browser, server.url)
        browser.close()
    for name, figure in figures.items():
        unit = "" if name.endswith(("KB", "50 ms")) else " ms"
        print(f"{name:28}{figure:10.1f}{unit}")


if __name__ == "__main__":
    main()
