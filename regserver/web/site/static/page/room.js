// The open room: its posts as a live log, who is there, inviting, leaving.

import { call } from "./api.js";
import { complete, lastName } from "./complete.js";
import * as compose from "./compose.js";
import { $, confirmed } from "./dom.js";
import { serve } from "./form.js";
import * as log from "./log.js";
import * as members from "./members.js";
import * as notify from "./notify.js";
import { bring, find, idNamed, namesOf, startingWith, suggested } from "./people.js";
import * as post from "./post.js";
import * as search from "./search.js";
import * as signs from "./signs.js";
import { t } from "./text.js";

const PAGE_SIZE = 50;
const MOST_READS = 3; // of one page, while its posts are changed
const MOST_NOTES = 100; // of a page that stays open for weeks
const notes = new Map(); // room → what happened in it while this page was open, each after the post it followed
let room = null; // as /room/list has it
let me = null;
let loaded = false; // the newest posts, or those to which the person was led

export const openRoom = () => room?.roomId;

/** Shows a room. user: who is signed in. */
export async function enter(entered, user) {
  room = entered;
  me = user;
  $("room").hidden = false;
  $("choose-room").hidden = true;
  log.clear();
  loaded = false;
  for (const fold of $("room").querySelectorAll("details")) fold.open = false;
  compose.enter(room.roomId, me);
  search.enter(room.roomId);
  members.enter(room, me);
  notify.enter(room.roomId);
  drawHead();
  drawSigns();
  $("room-title").focus();
  await load();
  log.follow();
}

export function close() {
  compose.leave();
  room = null;
  $("room").hidden = true;
  $("choose-room").hidden = false;
}

/** Forgets what this person has seen and begun. */
export function forget() {
  close();
  notes.clear();
  log.clear();
}

/** Takes the room as it is now, after a lost connection or when somebody came or went, and whatever posts are new. */
export async function update(listed) {
  room = listed;
  members.update(room);
  drawHead();
  await load();
}

/** The room is called otherwise now. */
export function rename(name) {
  room.name = name;
  $("room-title").textContent = name;
}

/** Loads the newest posts; when they do not reach back to what is shown, there is a gap, and the log starts anew. */
async function load() {
  const { roomId } = room, before = log.shown();
  const page = await read(`limit=${PAGE_SIZE}`);
  if (!page || !log.isWhole()) return; // who reads older ones goes on with that
  const { posts, more } = page;
  const hasGap = loaded && more && posts[0].id > log.newest();
  if (loaded && !hasGap) {
    if (posts.length) log.prune(posts, before);
    return log.add(posts, me);
  }
  if (hasGap) log.clear();
  loaded = true;
  if (!(await log.fill(posts, me, { earlier: more }))) return;
  for (const { after, text } of notes.get(roomId) ?? []) if (!more || after >= posts[0].id) log.note(text, after);
}

/** Asks for a page of this room's posts, again where one was edited or deleted meanwhile; resolves with null where another room is open by then. */
async function read(span) {
  const { roomId } = room;
  for (let tries = 1; ; tries += 1) {
    const before = log.changed();
    const page = await call("GET", `room/readAll/${roomId}?${span}`);
    if (openRoom() !== roomId) return null;
    if (log.changed() === before || tries === MOST_READS) return page;
  }
}

async function loadEarlier() {
  const page = await read(`limit=${PAGE_SIZE}&before=${log.oldest()}`);
  if (page) await log.addAbove(page.posts, me, page.more);
}

async function loadLater() {
  const page = await read(`limit=${PAGE_SIZE}&after=${log.newest()}`);
  // What came while these were on their way was only counted.
  if (page && (await log.addBelow(page.posts, me, page.more))) await load();
}

/** Shows the newest, whatever is shown. */
async function loadLatest() {
  log.clear();
  loaded = false;
  await load();
  log.follow();
}

/** Leads to a post of this room, among those that were written before and after it. */
async function lead(id) {
  if (!log.has(id)) {
    const half = `limit=${PAGE_SIZE / 2}`;
    const [until, since] = await Promise.all([read(`${half}&before=${id + 1}`), read(`${half}&after=${id}`)]);
    if (!until || !since) return;
    log.clear();
    if (!(await log.fill([...until.posts, ...since.posts], me, { earlier: until.more, later: since.more }))) return;
  }
  log.lead(id);
}

/** Shows a post that came. */
export const showPost = (shown) => log.arrived(shown, me);

/** Notes in a room, open or not, that somebody came or went. */
export function note(entry, text) {
  if (!entry) return;
  const list = notes.get(entry.roomId) ?? notes.set(entry.roomId, []).get(entry.roomId);
  list.push({ after: entry.lastPost?.id ?? 0, text });
  if (list.length > MOST_NOTES) list.shift();
  if (openRoom() === entry.roomId) log.note(text, list.at(-1).after);
}

async function drawHead() {
  const { roomId, name, users } = room;
  $("room-title").textContent = name;
  const names = await namesOf(users);
  if (openRoom() === roomId) $("room-members").textContent = t("room.members", { names });
}

/** Shows who is here and who is typing. */
export async function drawSigns() {
  const roomId = openRoom();
  if (roomId === undefined) return;
  const others = (ids) => ids.filter((id) => id !== me.userId);
  const present = others(signs.present(roomId)), writing = others(signs.writing(roomId));
  const [here, typing] = await Promise.all([namesOf(present), namesOf(writing)]);
  if (openRoom() !== roomId) return;
  $("room-present").textContent = present.length ? t("room.present", { names: here }) : "";
  $("room-typing").textContent = writing.length ? t("room.typing", { names: typing }) : "";
}

/** What a name in a post is. */
function roleOf(name) {
  const id = idNamed(name);
  return id === undefined ? "" : id === me.userId ? "me" : "other";
}

/** Wires the room's controls. changed(): the list of rooms is not what it was. */
export function wire({ changed, failed }) {
  post.wire(roleOf);
  log.wire({ earlier: () => loadEarlier().catch(failed), later: () => loadLater().catch(failed), latest: () => loadLatest().catch(failed) });
  compose.wire({ find: async (text) => startingWith(text, me.userId, room?.users ?? []) });
  signs.wire((roomId) => { if (roomId === openRoom()) drawSigns().catch(failed); });
  document.addEventListener("post-gone", ({ detail }) => log.remove(detail));
  search.wire({ toPost: lead, failed });
  members.wire({ changed });
  notify.wire(failed);
  for (const form of ["create", "invite"]) {
    complete($(`${form}-people`), $(`${form}-names`), { part: lastName, find: suggested, place: (name) => `${name}, ` });
  }
  const invite = $("invite").querySelector("form");
  serve(invite, ["people"], async ({ people }) => {
    const otherUsers = await find(people);
    await bring(`room/invite/${room.roomId}`, { otherUsers });
    invite.reset();
    $("invite").open = false;
    $("compose-content").focus();
    changed();
  });
  $("room-leave").addEventListener("click", async () => {
    const { roomId, name } = room;
    const sure = await confirmed(t("confirm.leaveTitle", { room: name }), t("confirm.leaveBody"), t("confirm.leave"));
    if (!sure) return;
    call("POST", `room/leave/${roomId}`).then(() => { location.hash = "rooms"; changed(); }, failed);
  });
}
