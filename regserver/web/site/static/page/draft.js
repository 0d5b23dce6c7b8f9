// What somebody has begun to write and not sent, by room: kept in the browser's storage, or in memory where that is denied.

const PREFIX = "draft";
const memory = new Map();
const keyOf = (user, room) => `${PREFIX} ${user} ${room}`;

/** Keeps what is written in a room; nothing, when it is empty. */
export function keep(user, room, text) {
  const key = keyOf(user, room);
  if (text) memory.set(key, text);
  else memory.delete(key);
  try {
    if (text) localStorage.setItem(key, text);
    else localStorage.removeItem(key);
  } catch {} // denied or full
}

/** What was kept of this room, or "". */
export function kept(user, room) {
  const key = keyOf(user, room);
  try {
    return localStorage.getItem(key) ?? memory.get(key) ?? "";
  } catch {
    return memory.get(key) ?? "";
  }
}

/** Forgets all drafts of this person. */
export function forget(user) {
  const own = (key) => key.startsWith(`${PREFIX} ${user} `);
  for (const key of [...memory.keys()].filter(own)) memory.delete(key);
  try {
    for (const key of Object.keys(localStorage).filter(own)) localStorage.removeItem(key);
  } catch {} // denied: there are none
}
