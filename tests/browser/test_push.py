"""Notifications on the page: the switch, the service worker that shows what is pushed, and the way from there to a room.

The browser's own push service is on the Internet, so its two calls are stood in for; the server, the worker and the way of a message
into it (by the browser's DevTools) are real.
"""

import json

from playwright.sync_api import expect

from regserver.domain.account import AccountId
from regserver.domain.instant import Instant
from regserver.domain.push import PushMessage, SubscriptionId
from regserver.domain.room import Post, PostId, RoomId
from regserver.service.push_delivery import PushContent
from regserver.web.rooms.push_wire import write_push
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor
from tests.web.provocation import POINT

PUSH_SERVICE = """
let present = null;
const keys = { p256dh: "POINT", auth: "BTBZMqHH6r4Tts7J_aSIgg" };
const made = {
  toJSON: () => ({ endpoint: "https://push.example.net/send/" + location.port, expirationTime: null, keys }),
  unsubscribe: async () => { present = null; return true; },
};
PushManager.prototype.subscribe = async ({ userVisibleOnly, applicationServerKey }) => {
  if (!userVisibleOnly || atob(applicationServerKey.replace(/-/g, "+").replace(/_/g, "/")).length !== 65) throw new TypeError("key");
  return (present = made);
};
PushManager.prototype.getSubscription = async () => present;
""".replace("POINT", POINT)
SHOWN = """async () => {
  const worker = await navigator.serviceWorker.ready;
  return (await worker.getNotifications()).map(({ title, body, tag }) => [title, body, tag]);
}"""


def pushed(*, shows_content: bool) -> str:
    """What the server pushes."""
    room, ann = RoomId(7), AccountId(1)
    message = PushMessage(
        subscription=SubscriptionId(1), room=room, actor=ann, post=PostId(5), posts=2, created_at=Instant(0)
    )
    post = Post(PostId(5), room, ann, "ann", "with milk 🫖", Instant(0))
    return write_push(PushContent(message, "Tea", "ann", post, "fr", shows_content)).decode()


def open_fold(visitor: Visitor) -> None:
    visitor.page.evaluate("() => { location.hash = '#settings'; }")
    visitor.find("#set-push summary").click()


def test_what_is_pushed_is_shown_and_leads_to_its_room(visit: Visit) -> None:
    person = visit(permissions=["notifications"])
    person.page.add_init_script(PUSH_SERVICE)
    person.sign_up("wilhelmina")
    registrations: dict[str, str] = {}
    tools = person.page.context.new_cdp_session(person.page)
    tools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: registrations.update(
            {it["scopeURL"]: it["registrationId"] for it in event["registrations"]}
        ),
    )
    tools.send("ServiceWorker.enable")
    open_fold(person)
    person.sees("#push-state", "nothing tells you")
    person.find("#push-on").click()
    person.sees("#push-state", "this browser tells you")
    expect(person.find("#push-off")).to_be_visible()

    ((scope, registration),) = registrations.items()
    for shows_content, body in (
        (False, "2 nouveaux messages, le dernier de ann"),
        (True, "ann: with milk 🫖"),
    ):
        message = {
            "origin": scope.rstrip("/"),
            "registrationId": registration,
            "data": pushed(shows_content=shows_content),
        }
        tools.send("ServiceWorker.deliverPushMessage", message)
        person.page.wait_for_function(
            f"async () => JSON.stringify(await ({SHOWN})()) === {json.dumps(json.dumps([['Tea', body, 'room-7']], ensure_ascii=False, separators=(',', ':')))}"
        )

    (worker,) = person.page.context.service_workers
    worker.evaluate("() => lead(7).catch(() => {})")  # focusing a page needs the click itself
    person.page.wait_for_function("() => location.hash === '#room-7'")

    open_fold(person)
    person.find("#push-off").click()
    person.sees("#push-state", "nothing tells you")
