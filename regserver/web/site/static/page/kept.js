// What this tab keeps until it is closed, and what all tabs share: in the browser's storage, or in memory where the browser denies
// that, so that a reload forgets it.

/** Under which the registration that is watched is kept. */
export const WATCHED = "registration";

const memory = new Map();

/** Keeps a text under this key. */
export function keep(key, value) {
  memory.set(key, value);
  try {
    sessionStorage.setItem(key, value);
  } catch {} // denied or full
}

/** The text under this key, or null. */
export function kept(key) {
  try {
    return sessionStorage.getItem(key) ?? memory.get(key) ?? null;
  } catch {
    return memory.get(key) ?? null;
  }
}

/** Forgets what is under this key. */
export function drop(key) {
  memory.delete(key);
  try {
    sessionStorage.removeItem(key);
  } catch {} // denied: there is nothing
}

/** The text that all tabs share under this key, or null; undefined where the browser keeps nothing. */
export function shared(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return undefined;
  }
}

/** Keeps a text for all tabs. */
export function keepShared(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {} // denied or full
}

export function dropShared(key) {
  try {
    localStorage.removeItem(key);
  } catch {} // denied: there is nothing
}
