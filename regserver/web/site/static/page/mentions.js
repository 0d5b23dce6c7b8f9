// Which rooms have unread posts that name this person: noted as posts come, and looked up for those that came while no page was open.

import { call } from "./api.js";
import { names } from "./markup.js";

const MOST_ROOMS = 10, MOST_POSTS = 50; // that are looked through at a time: those that spoke last
const named = new Set(); // rooms
const looked = new Map(); // room → the newest post in it that was looked at

/** Whether an unread post of this room names them. */
export const has = ({ roomId, unread }) => unread > 0 && named.has(roomId);

/** A post of somebody else came. username: of whoever is signed in. */
export function note(roomId, { id, content }, username) {
  if (looked.has(roomId)) looked.set(roomId, id);
  if (names(content, username)) named.add(roomId);
}

/** Everything in this room is read. */
export const read = (roomId) => named.delete(roomId);

/** Looks through what is unread in these rooms and was not looked at yet. unreadIn(roomId): how much that still is when the answer is
 *  there. Resolves with whether something was found. */
export async function look(entries, username, unreadIn) {
  const isNew = ({ roomId, unread, lastPost }) => unread > 0 && lastPost?.id > (looked.get(roomId) ?? 0);
  const chosen = entries.filter(isNew).sort((one, other) => other.lastPost.id - one.lastPost.id).slice(0, MOST_ROOMS);
  const found = await Promise.all(chosen.map(async ({ roomId, unread, lastPost }) => {
    looked.set(roomId, lastPost.id);
    const { posts } = await call("GET", `room/readAll/${roomId}?limit=${Math.min(unread, MOST_POSTS)}`);
    const isNamed = unreadIn(roomId) > 0 && posts.some(({ content }) => names(content, username));
    if (isNamed) named.add(roomId);
    return isNamed;
  }));
  return found.includes(true);
}

/** Forgets everything: somebody else may come. */
export function forget() {
  named.clear();
  looked.clear();
}
