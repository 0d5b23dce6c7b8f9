// Who is who: names for ids and ids for names.

import { call, Problem } from "./api.js";
import { list, t } from "./text.js";

const SHOWN_NAMES = 30;
const names = new Map(); // id → name, or a promise of it
const ids = new Map(); // name in small letters → id
let suggests = true; // as far as is known

/** Notes the name of somebody. */
export function know(id, name) {
  names.set(id, name);
  ids.set(name.toLowerCase(), id);
}

/** The id of a name that was seen on this page, or undefined. */
export const idNamed = (name) => ids.get(name.toLowerCase());

/** The names among these people, but one's own, that begin with a text, in their order. */
export async function startingWith(text, own, people) {
  const found = await Promise.all(people.filter((id) => id !== own).map(nameOf));
  return found.filter((name) => name.toLowerCase().startsWith(text.toLowerCase())).sort();
}

/** The user's name; for who is not there any more, words that say so. */
export async function nameOf(id) {
  if (!names.has(id)) names.set(id, call("GET", `login/username/${id}`).then(({ username }) => {
    ids.set(username.toLowerCase(), id);
    return username;
  }));
  try {
    return await names.get(id);
  } catch (problem) {
    if (problem.code !== "AccountNotFound") names.delete(id);
    return t("room.somebody", { id });
  }
}

/** Names in a row, of a long list only the first. */
export async function namesOf(ids) {
  const first = await Promise.all(ids.slice(0, SHOWN_NAMES).map(nameOf));
  const more = ids.length - first.length;
  return list(more > 0 ? [...first, t("room.more", { count: more })] : first);
}

/** Names that begin with a text, as far as the operator lets people be suggested. */
export async function suggested(text) {
  if (!suggests || !text.trim()) return [];
  const answer = await call("GET", `room/people?q=${encodeURIComponent(text.trim())}`);
  suggests = answer.suggests !== "off";
  return answer.people.map(({ username }) => username);
}

/** The ids of user names separated by commas. Rejects with NoSuchUser. */
export function find(text) {
  return Promise.all(text.split(/[,;]/).map((name) => name.trim()).filter(Boolean).map(idOf));
}

async function idOf(name) {
  try {
    const { userId } = await call("GET", `login/userId/${encodeURIComponent(name)}`);
    return userId;
  } catch (problem) {
    if (problem.code === "AccountNotFound") throw new Problem("NoSuchUser", { who: name });
    throw problem;
  }
}

/** Posts what brings people into a room. Where some of them cannot be brought in, the Problem is about their names. */
export async function bring(path, body) {
  try {
    return await call("POST", path, body);
  } catch (problem) {
    if (problem.answer?.refusedUsers) problem.who = await namesOf(problem.answer.refusedUsers);
    throw problem;
  }
}
