// The posts that are shown, in the order of their numbers, with notes of who came and went between them.

import { $, make } from "./dom.js";
import * as one from "./post.js";
import { t } from "./text.js";

const MOST_SHOWN = 1000; // of a page that stays open for weeks
const NEAR_PX = 80;
let below = 0; // posts that came while something older was read

const items = () => $("room-posts");
const view = () => $("room-log");

/** The numbers of the newest and the oldest post that are shown; 0 where there is none. */
export const newest = () => Number(items().lastElementChild?.dataset.id ?? 0);
export const oldest = () => Number(items().querySelector(".post")?.dataset.id ?? 0);
export const isEmpty = () => items().childElementCount === 0;
export const ownLast = () => [...items().querySelectorAll(".post.mine")].at(-1);

const atEnd = () => view().scrollHeight - view().scrollTop - view().clientHeight < NEAR_PX;

/** Empties it. */
export function clear() {
  items().replaceChildren();
  drawBelow(0);
}

/** Puts posts into their places, each once; those that are shown already say what they say now. */
export function add(posts, me) {
  const end = atEnd(), last = newest();
  view().ariaBusy = "true";
  let fresh = 0;
  for (const post of posts) {
    const shown = $(`post-${post.id}`);
    if (shown) {
      one.write(shown, post.content, post.edited);
      continue;
    }
    place(one.postItem(post, me));
    if (last && post.id > last && post.user !== me.userId) fresh += 1;
  }
  view().ariaBusy = "false";
  if (end) follow();
  else if (fresh) drawBelow(below + fresh);
}

/** Puts older posts above, without moving what is read. */
export function addAbove(posts, me) {
  const under = view().scrollHeight - view().scrollTop;
  view().ariaBusy = "true";
  for (const post of posts) if (!$(`post-${post.id}`)) placeAbove(one.postItem(post, me));
  view().ariaBusy = "false";
  view().scrollTop = view().scrollHeight - under;
}

/** Takes away what is no more among the posts from the first of these on. */
export function prune(posts) {
  const ids = new Set(posts.map(({ id }) => String(id)));
  for (const item of [...items().querySelectorAll(".post")].reverse()) {
    if (Number(item.dataset.id) < posts[0].id) return;
    if (!ids.has(item.dataset.id)) remove(Number(item.dataset.id));
  }
}

/** A post says something else now. */
export function edit(id, content, edited) {
  const item = $(`post-${id}`);
  if (item) one.write(item, content, edited);
}

/** A post is gone. */
export function remove(id) {
  const item = $(`post-${id}`), after = item?.nextElementSibling;
  item?.remove();
  redrawDay(after);
}

/** Says between the posts what happened. after: the post behind which it stands. */
export function note(text, after) {
  const end = atEnd(), item = make("li", { className: "note" }, text);
  item.dataset.id = after;
  place(item);
  if (end) follow();
}

function place(item) {
  let before = items().lastElementChild;
  while (before && Number(before.dataset.id) > Number(item.dataset.id)) before = before.previousElementSibling;
  if (before) before.after(item);
  else items().prepend(item);
  drawDays(item);
}

/** The same, looked for from the top, where older posts belong: past a thousand from below is long for each of fifty. */
function placeAbove(item) {
  let after = items().firstElementChild;
  while (after && Number(after.dataset.id) <= Number(item.dataset.id)) after = after.nextElementSibling;
  items().insertBefore(item, after);
  drawDays(item);
}

function drawDays(item) {
  if (item.dataset.day) one.drawDay(item);
  redrawDay(item.nextElementSibling);
}

function redrawDay(item) {
  while (item && !item.dataset.day) item = item.nextElementSibling;
  if (item) one.drawDay(item);
}

/** Goes to the newest; of very many the oldest are dropped from the page. */
export function follow() {
  let dropped = false;
  while (items().childElementCount > MOST_SHOWN) {
    items().firstElementChild.remove();
    dropped = true;
  }
  if (dropped) {
    redrawDay(items().firstElementChild);
    $("room-earlier").hidden = false;
  }
  view().scrollTop = view().scrollHeight;
  drawBelow(0);
}

function drawBelow(count) {
  below = count;
  $("room-below").hidden = count === 0;
  $("room-below").textContent = t("room.below", { count });
}

/** Wires the scrolling. earlier(): loads older posts, and resolves when they are shown. */
export function wire(earlier) {
  const button = $("room-earlier");
  let loading = false;
  const watcher = new IntersectionObserver((seen) => { if (seen.some(({ isIntersecting }) => isIntersecting)) load(); },
    { root: view(), rootMargin: "400px 0px 0px 0px" });
  async function load() {
    if (loading || button.hidden || isEmpty()) return;
    loading = true;
    try {
      await earlier();
    } finally {
      loading = false;
      watcher.unobserve(button); // it may still be in view, and is only looked for when that changes
      watcher.observe(button);
    }
  }
  watcher.observe(button);
  button.addEventListener("click", load);
  $("room-below").addEventListener("click", () => {
    follow();
    $("compose-content").focus();
  });
  view().addEventListener("scroll", () => { if (below && atEnd()) drawBelow(0); }, { passive: true });
}
