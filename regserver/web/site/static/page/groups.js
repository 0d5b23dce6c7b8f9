// The items of the log in groups, one below the other. The browser skips a group that is full and far from view as a whole, so that
// a frame takes as long with a thousand posts as with fifty; a thousand items that are skipped one by one are looked at one by one.

import { $, make } from "./dom.js";

const SIZE = 30;

const all = () => $("room-posts");
const isFull = (group) => group.childElementCount >= SIZE;

export const isEmpty = () => all().childElementCount === 0;
export const first = () => all().firstElementChild?.firstElementChild ?? null;
export const last = () => all().lastElementChild?.lastElementChild ?? null;
export const next = (item) => item.nextElementSibling ?? item.parentElement.nextElementSibling?.firstElementChild ?? null;
export const previous = (item) => item.previousElementSibling ?? item.parentElement.previousElementSibling?.lastElementChild ?? null;

/** Puts an item between two that follow each other; null stands for the beginning and for the end. */
export function put(item, before, after) {
  const upper = before?.parentElement, lower = after?.parentElement;
  if (upper && (upper === lower || !isFull(upper))) before.after(item);
  else if (lower && !isFull(lower)) after.before(item);
  else {
    const group = make("div", { role: "presentation" });
    all().insertBefore(group, lower ?? null);
    group.append(item);
  }
}

/** Takes an item away, and its group with the last one. */
export function drop(item) {
  const group = item.parentElement;
  item.remove();
  if (!group.childElementCount) group.remove();
}

/** Lets the browser skip the groups that are full. Each was laid out before, so nothing moves when it is skipped. */
export function settle() {
  for (const group of all().querySelectorAll(":scope > :not(.settled)")) {
    if (!isFull(group)) continue;
    group.style.containIntrinsicHeight = `auto ${group.getBoundingClientRect().height}px`;
    group.classList.add("settled");
  }
}

/** Drops whole groups from the beginning while this many items remain. Returns whether there were any. */
export function shorten(most) {
  let count = -most, dropped = false;
  for (const group of all().children) count += group.childElementCount;
  for (let group = all().firstElementChild; count >= group?.childElementCount; group = all().firstElementChild) {
    count -= group.childElementCount;
    group.remove();
    dropped = true;
  }
  return dropped;
}
