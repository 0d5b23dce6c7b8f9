// Finding posts in the open room.

import { call } from "./api.js";
import { $, make } from "./dom.js";
import { serve } from "./form.js";
import { t, when } from "./text.js";

let room = null, asked = "", next;
let lead = () => {};

/** Another room: nothing is asked yet. */
export function enter(roomId) {
  room = roomId;
  $("search").querySelector("form").reset();
  $("search-results").replaceChildren();
  $("search-state").textContent = "";
  $("search-more").hidden = true;
}

async function look() {
  const roomId = room, text = asked;
  const before = next === undefined ? "" : `&before=${next}`;
  const found = await call("GET", `room/search/${roomId}?q=${encodeURIComponent(text)}${before}`);
  if (room !== roomId || asked !== text) return;
  next = found.next;
  $("search-results").append(...found.posts.reverse().map(item));
  const count = $("search-results").childElementCount;
  $("search-state").textContent = next === undefined ? t("room.found", { count }) : t("room.foundSoFar", { count });
  $("search-more").hidden = next === undefined;
}

/** A post that was found: a button that leads to its place. */
function item({ id, username, createdAt, content }) {
  const button = make("button", { type: "button" },
    make("span", { className: "hint" }, make("bdi", {}, username), " · ", when(new Date(createdAt))), make("span", { dir: "auto" }, content));
  button.addEventListener("click", () => {
    $("search").open = false;
    lead(id);
  });
  return make("li", {}, button);
}

/** Wires the form. toPost(id): leads to a post of the room. failed(problem): tells what went wrong. */
export function wire({ toPost, failed }) {
  lead = (id) => toPost(id).catch(failed);
  serve($("search").querySelector("form"), ["q"], async ({ q }) => {
    [asked, next] = [q.trim(), undefined];
    $("search-results").replaceChildren();
    await look();
  }, { BadSearch: "q" });
  $("search-more").addEventListener("click", () => look().catch(failed));
  $("search").addEventListener("toggle", () => { if ($("search").open) $("search-q").focus(); });
}
