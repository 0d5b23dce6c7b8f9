// The posts that are shown, in the order of their numbers, with notes of who came and went between them. Mostly they are the newest;
// who was led to an older post sees those around it, and gets to the newest by scrolling on or at once by a button.

import { $, breath, make } from "./dom.js";
import * as groups from "./groups.js";
import * as one from "./post.js";
import { t } from "./text.js";

const MOST_SHOWN = 1000; // of a page that stays open for weeks
const BATCH = 10; // posts that are put in at once; between such the browser does what people wait for
const NEAR_PX = 80;
let below = 0; // posts that came while something older was read
let era = 0; // a new one each time the log is emptied
let whole = true; // the newest post is among those that are shown
let changes = 0; // of posts that were there already
let hooks = {};

const items = () => $("room-posts");
const view = () => $("room-log");

/** The numbers of the newest and the oldest post that are shown; 0 where there is none. */
export const newest = () => Number(groups.last()?.dataset.id ?? 0);
export const oldest = () => Number(items().querySelector(".post")?.dataset.id ?? 0);
export const has = (id) => Boolean($(`post-${id}`));
export const isEmpty = groups.isEmpty;
export const isWhole = () => whole;
/** A number that grows when a post is edited or deleted: what was asked for before may have it as it was. */
export const changed = () => changes;
/** The numbers of all posts that are shown. */
export const shown = () => new Set([...items().querySelectorAll(".post")].map(({ dataset }) => Number(dataset.id)));
export const ownLast = () => [...items().querySelectorAll(".post.mine")].at(-1);

const atEnd = () => view().scrollHeight - view().scrollTop - view().clientHeight < NEAR_PX;

/** Empties it. */
export function clear() {
  era += 1;
  items().replaceChildren();
  setBounds({});
}

/** earlier, later: there are posts before and after those that are shown. */
function setBounds({ earlier = false, later = false }) {
  whole = !later;
  $("room-earlier").hidden = !earlier;
  $("room-later").hidden = whole;
  drawBelow(0);
}

/** Does it for some posts at a time, fromEnd: the last ones first. Ends early when the log is emptied meanwhile: whether it did not. */
async function inBatches(posts, work, fromEnd = false) {
  const own = era;
  for (let done = 0; done < posts.length; done += BATCH) {
    if (done) await breath();
    if (own !== era) return false;
    const to = fromEnd ? posts.length - done : done + BATCH;
    work(posts.slice(Math.max(0, to - BATCH), to));
    groups.settle();
  }
  return true;
}

/** Puts posts into their places, each once; those that are shown already say what they say now. Resolves when all are there. */
export function add(posts, me) {
  const last = newest();
  return inBatches(posts, (some) => {
    const end = whole && atEnd();
    view().ariaBusy = "true";
    let fresh = 0;
    for (const post of some) {
      const shown = $(`post-${post.id}`);
      if (shown) {
        one.write(shown, post.content, post.edited);
        continue;
      }
      place(one.postItem(post, me));
      if (last && post.id > last && post.user !== me.userId) fresh += 1;
    }
    view().ariaBusy = "false";
    if (end) toEnd();
    else if (whole && fresh) drawBelow(below + fresh);
  }, last === 0);
}

/** Fills the log that was emptied. bounds: see setBounds. Resolves with whether that is still wanted, when all are there. */
export async function fill(posts, me, bounds) {
  whole = !bounds.later; // the buttons that load more come last, so that nothing is loaded meanwhile
  const own = era;
  await add(posts, me);
  if (own !== era) return false;
  setBounds(bounds);
  return true;
}

/** A post came. Where older ones are read it is counted: its place is not there yet. */
export function arrived(post, me) {
  if (whole) add([post], me);
  else if (post.user !== me.userId) drawBelow(below + 1);
}

/** Puts older posts above, without moving what is read. earlier: there are others before them. Resolves when all are there. */
export async function addAbove(posts, me, earlier) {
  const still = await inBatches(posts, (some) => {
    const under = view().scrollHeight - view().scrollTop;
    view().ariaBusy = "true";
    for (const post of some) if (!has(post.id)) placeAbove(one.postItem(post, me));
    view().ariaBusy = "false";
    view().scrollTop = view().scrollHeight - under;
  }, true);
  if (still) $("room-earlier").hidden = !earlier;
}

/** Puts later posts below. later: there are others after them. Resolves with whether the newest is shown now, when all are there. */
export async function addBelow(posts, me, later) {
  const still = await inBatches(posts, (some) => {
    for (const post of some) if (!has(post.id)) place(one.postItem(post, me));
  });
  if (!still || later) return false;
  setBounds({ earlier: !$("room-earlier").hidden });
  return true;
}

/** Leads to a post that is shown, and marks it. */
export function lead(id) {
  const item = $(`post-${id}`);
  if (!item) return;
  items().querySelector(".led")?.classList.remove("led");
  item.classList.add("led");
  item.tabIndex = -1;
  item.scrollIntoView({ block: "center" });
  item.focus({ preventScroll: true });
}

/** Takes away what is no more among the posts from the first of these on. before: what was shown when these were asked for. */
export function prune(posts, before) {
  const ids = new Set(posts.map(({ id }) => id));
  for (const id of before) if (id >= posts[0].id && !ids.has(id)) drop(id);
}

/** A post says something else now. */
export function edit(id, content, edited) {
  changes += 1;
  const item = $(`post-${id}`);
  if (item) one.write(item, content, edited);
}

/** A post is gone. */
export function remove(id) {
  changes += 1;
  drop(id);
}

function drop(id) {
  const item = $(`post-${id}`);
  if (!item) return;
  const after = groups.next(item);
  groups.drop(item);
  redrawDay(after);
}

/** Says between the posts what happened. after: the post behind which it stands. */
export function note(text, after) {
  if (!whole) return;
  const end = atEnd(), item = make("div", { className: "note", role: "listitem" }, text);
  item.dataset.id = after;
  place(item);
  if (end) toEnd();
}

function place(item) {
  let before = groups.last();
  while (before && Number(before.dataset.id) > Number(item.dataset.id)) before = groups.previous(before);
  groups.put(item, before, before ? groups.next(before) : groups.first());
  drawDays(item);
}

/** The same, looked for from the top, where older posts belong: past a thousand from below is long for each of fifty. */
function placeAbove(item) {
  let after = groups.first();
  while (after && Number(after.dataset.id) <= Number(item.dataset.id)) after = groups.next(after);
  groups.put(item, after ? groups.previous(after) : groups.last(), after);
  drawDays(item);
}

function drawDays(item) {
  if (item.dataset.day) one.drawDay(item);
  redrawDay(groups.next(item));
}

function redrawDay(item) {
  while (item && !item.dataset.day) item = groups.next(item);
  if (item) one.drawDay(item);
}

/** Goes to the newest, which are loaded where they are not shown. */
export function follow() {
  if (whole) toEnd();
  else hooks.latest();
}

/** Scrolls to the end; of very many the oldest are dropped from the page. */
function toEnd() {
  if (groups.shorten(MOST_SHOWN)) {
    redrawDay(groups.first());
    $("room-earlier").hidden = false;
  }
  view().scrollTop = view().scrollHeight;
  drawBelow(0);
}

function drawBelow(count) {
  below = count;
  $("room-below").hidden = count === 0 && whole;
  $("room-below").textContent = count ? t("room.below", { count }) : t("room.newest");
}

/** Loads more as soon as this button comes near, and when it is pressed. load(): resolves when what was loaded is shown. */
function loadsMore(button, load) {
  let loading = false;
  const near = ({ isIntersecting }) => isIntersecting;
  const watcher = new IntersectionObserver((seen) => { if (seen.some(near)) begin(); }, { root: view(), rootMargin: "400px 0px" });
  async function begin() {
    if (loading || button.hidden || isEmpty()) return;
    loading = true;
    try {
      await load();
    } finally {
      loading = false;
      watcher.unobserve(button); // it may still be in view, and is only looked for when that changes
      watcher.observe(button);
    }
  }
  watcher.observe(button);
  button.addEventListener("click", begin);
}

/** Wires the scrolling. earlier(), later(): load more posts, and resolve when they are shown. latest(): loads the newest. */
export function wire({ earlier, later, latest }) {
  hooks = { latest };
  loadsMore($("room-earlier"), earlier);
  loadsMore($("room-later"), later);
  $("room-below").addEventListener("click", () => {
    follow();
    $("compose-content").focus();
  });
  view().addEventListener("scroll", () => { if (below && whole && atEnd()) drawBelow(0); }, { passive: true });
}
