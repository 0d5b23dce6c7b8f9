// The list of rooms as it is shown: the one with the newest post first, with what is unread.

import { $, make } from "./dom.js";
import * as mentions from "./mentions.js";
import { t } from "./text.js";

/** Shows these rooms. open: the id of the open one. */
export function draw(rooms, open) {
  const focused = document.activeElement?.id;
  const age = ({ lastPost }) => lastPost?.id ?? Infinity;
  const sorted = [...rooms].sort((one, other) => age(other) - age(one) || other.roomId - one.roomId);
  $("room-list").replaceChildren(...sorted.map((entry) => item(entry, entry.roomId === open)));
  if (focused?.startsWith("room-link-")) $(focused)?.focus();
}

function item(entry, isOpen) {
  const { roomId, name, lastPost, unread } = entry;
  const preview = lastPost ? t("room.preview", { name: lastPost.username, text: lastPost.content }) : t("room.nothing");
  const link = make("a", { id: `room-link-${roomId}`, href: `#room-${roomId}` },
    make("span", { className: "room-name", dir: "auto" }, name), make("span", { className: "preview", dir: "auto" }, preview));
  if (unread) link.append(badge(unread, mentions.has(entry)));
  if (isOpen) link.ariaCurrent = "page";
  return make("li", {}, link);
}

/** How many posts are unread, with an @ where one of them names the reader. */
function badge(count, isNamed) {
  return make("span", { className: isNamed ? "badge named" : "badge" },
    make("span", { ariaHidden: "true" }, isNamed ? `@ ${count}` : String(count)),
    make("span", { className: "unseen" }, t(isNamed ? "room.unreadNamed" : "room.unread", { count })));
}
