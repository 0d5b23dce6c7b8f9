// Who is here and who is typing, by room. Nothing of it is kept: a connection that comes back is told anew.

const FADE_MS = 6_000; // typing has no end of its own
const here = new Map(), typing = new Map();
let changed = () => {};

const setOf = (map, room) => map.get(room) ?? map.set(room, new Set()).get(room);

/** Those who are there now, and those who are typing. */
export const present = (room) => [...(here.get(room) ?? [])];
export const writing = (room) => [...(typing.get(room)?.keys() ?? [])];

/** Takes a frame. */
export function hear({ type, userId, roomId, online }) {
  if (type === "Typing") {
    const people = typing.get(roomId) ?? typing.set(roomId, new Map()).get(roomId);
    clearTimeout(people.get(userId));
    people.set(userId, setTimeout(() => quiet(userId, roomId), FADE_MS));
  } else {
    if (online) setOf(here, roomId).add(userId);
    else setOf(here, roomId).delete(userId);
    if (!online) quiet(userId, roomId);
  }
  changed(roomId);
}

/** Somebody has stopped typing, as whoever has just posted. */
export function quiet(userId, roomId) {
  const people = typing.get(roomId);
  if (!people?.has(userId)) return;
  clearTimeout(people.get(userId));
  people.delete(userId);
  changed(roomId);
}

/** Somebody is no member any more. */
export function gone(userId, roomId) {
  here.get(roomId)?.delete(userId);
  quiet(userId, roomId);
}

/** Forgets everything: the connection is a new one, or the person is. */
export function forget() {
  for (const people of typing.values()) for (const timer of people.values()) clearTimeout(timer);
  here.clear();
  typing.clear();
}

/** hook(room): what is known of a room has changed. */
export function wire(hook) {
  changed = hook;
}
