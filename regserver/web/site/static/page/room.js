// The open room: its posts as a live log, who came and went, writing, inviting, leaving.

import { call } from "./api.js";
import { $, confirmed, make } from "./dom.js";
import { serve } from "./form.js";
import { bring, find, know, nameOf, namesOf } from "./people.js";
import { randomKey } from "./sdk.js";
import { t, when } from "./text.js";

const PAGE_SIZE = 50;
const MOST_SHOWN = 1000, MOST_NOTES = 100; // of a page that stays open for weeks
const notes = new Map(); // room → what happened in it while this page was open, each after the post it followed
let room = null; // as /room/list has it
let me = null;
let draft = { content: "", key: "" };

export const openRoom = () => room?.roomId;
const newest = () => Number($("room-posts").lastElementChild?.dataset.id ?? 0);

/** Shows a room. user: who is signed in. */
export async function enter(entered, user) {
  room = entered;
  me = user;
  $("room").hidden = false;
  $("choose-room").hidden = true;
  $("room-posts").replaceChildren();
  $("room-earlier").hidden = true;
  for (const fold of $("room").querySelectorAll("details")) fold.open = false;
  $("compose").reset();
  drawHead();
  $("room-title").focus();
  await load();
  scrollDown();
}

export function close() {
  room = null;
  $("room").hidden = true;
  $("choose-room").hidden = false;
}

/** Forgets what this person has seen and begun. */
export function forget() {
  close();
  notes.clear();
  draft = { content: "", key: "" };
  $("room-posts").replaceChildren();
}

/** Takes the room as it is now, after a lost connection or when somebody came or went, and whatever posts are new. */
export async function update(listed) {
  room = listed;
  drawHead();
  await load();
}

/** Loads the newest posts; when they do not reach back to what is shown, there is a gap, and the log starts anew. */
async function load() {
  const { roomId } = room;
  const { posts, more } = await call("GET", `room/readAll/${roomId}?limit=${PAGE_SIZE}`);
  if (openRoom() !== roomId) return;
  const log = $("room-log"), items = $("room-posts");
  const fresh = items.childElementCount === 0 || (more && posts[0].id > newest());
  log.ariaBusy = "true";
  if (fresh) {
    items.replaceChildren();
    $("room-earlier").hidden = !more;
  }
  for (const post of posts) showPost(post);
  if (fresh) for (const note of notes.get(roomId) ?? []) if (!more || note.after >= posts[0].id) place(noteItem(note));
  log.ariaBusy = "false";
}

async function loadEarlier() {
  const { roomId } = room, log = $("room-log");
  const oldest = $("room-posts").querySelector("[id]").dataset.id;
  const { posts, more } = await call("GET", `room/readAll/${roomId}?limit=${PAGE_SIZE}&before=${oldest}`);
  if (openRoom() !== roomId) return;
  const below = log.scrollHeight - log.scrollTop;
  log.ariaBusy = "true";
  for (const post of posts) showPost(post);
  $("room-earlier").hidden = !more;
  log.ariaBusy = "false";
  log.scrollTop = log.scrollHeight - below;
}

/** Shows a post in its place, once: posts carry rising numbers. */
export function showPost({ id, user, username, content, createdAt }) {
  if ($(`post-${id}`)) return;
  know(user, username);
  const date = new Date(createdAt);
  const time = make("time", { dateTime: date.toISOString() }, when(date));
  const author = make("b", {}, user === me.userId ? `${username} (${t("room.you")})` : username);
  const item = make("li", { id: `post-${id}`, className: user === me.userId ? "mine" : "" },
    make("p", { className: "meta" }, author, " ", time), make("p", { className: "content", dir: "auto" }, content));
  item.dataset.id = id;
  place(item);
}

/** Notes in a room, open or not, that somebody came or went. */
export function note(entry, text) {
  if (!entry) return;
  const list = notes.get(entry.roomId) ?? notes.set(entry.roomId, []).get(entry.roomId);
  list.push({ after: entry.lastPost?.id ?? 0, text });
  if (list.length > MOST_NOTES) list.shift();
  if (openRoom() === entry.roomId) place(noteItem(list.at(-1)));
}

function noteItem({ after, text }) {
  const item = make("li", { className: "note" }, text);
  item.dataset.id = after;
  return item;
}

function place(item) {
  const log = $("room-log"), items = $("room-posts");
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  let before = items.lastElementChild;
  while (before && Number(before.dataset.id) > Number(item.dataset.id)) before = before.previousElementSibling;
  if (before) before.after(item);
  else items.prepend(item);
  if (!atEnd) return;
  if (items.childElementCount > MOST_SHOWN) {
    items.firstElementChild.remove();
    $("room-earlier").hidden = false;
  }
  scrollDown();
}

function scrollDown() {
  $("room-log").scrollTop = $("room-log").scrollHeight;
}

async function drawHead() {
  const { roomId, name, users } = room;
  $("room-title").textContent = name;
  const names = await namesOf(users);
  if (openRoom() === roomId) $("room-members").textContent = t("room.members", { names });
}

/** Wires the room's controls. changed(): the list of rooms is not what it was; posted(post): the user wrote this. */
export function wire({ changed, posted, failed }) {
  const compose = $("compose"), content = compose.elements.content;
  serve(compose, ["content"], async (values) => {
    const { roomId } = room;
    // The same words sent again after a lost answer are the same post.
    if (draft.content !== values.content) draft = { content: values.content, key: randomKey() };
    const { postId } = await call("POST", `room/post/${roomId}`, { content: draft.content }, { "Idempotency-Key": draft.key });
    const post = { id: postId, user: me.userId, username: me.username, content: draft.content, createdAt: new Date() };
    if (content.value === draft.content) content.value = "";
    draft = { content: "", key: "" };
    if (openRoom() === roomId) showPost(post);
    scrollDown();
    posted(roomId, post);
  });
  const touch = matchMedia("(hover: none)"); // there, Enter is the only way to a new line
  content.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || touch.matches) return;
    event.preventDefault();
    compose.requestSubmit();
  });
  const invite = $("invite").querySelector("form");
  serve(invite, ["people"], async ({ people }) => {
    const otherUsers = await find(people);
    await bring(`room/invite/${room.roomId}`, { otherUsers });
    invite.reset();
    $("invite").open = false;
    note(room, t("room.invitedOk", { names: await namesOf(otherUsers) }));
    content.focus();
    changed();
  });
  $("room-leave").addEventListener("click", async () => {
    const { roomId, name } = room;
    const sure = await confirmed(t("confirm.leaveTitle", { room: name }), t("confirm.leaveBody"), t("confirm.leave"));
    if (!sure) return;
    call("POST", `room/leave/${roomId}`).then(() => { location.hash = "rooms"; changed(); }, failed);
  });
  $("room-earlier").addEventListener("click", () => loadEarlier().catch(failed));
}
