// The list of rooms and the socket that keeps it true. Every notification is taken in turn; whatever changes who is in
// a room, and every new connection, loads the list again, so that a lost connection loses nothing.

import * as address from "./address.js";
import { call, server } from "./api.js";
import * as compose from "./compose.js";
import { $, setTitle, tell } from "./dom.js";
import { serve } from "./form.js";
import * as list from "./list.js";
import * as log from "./log.js";
import * as mentions from "./mentions.js";
import * as notify from "./notify.js";
import * as offers from "./offers.js";
import * as outbox from "./outbox.js";
import { bring, find, know, nameOf, namesOf } from "./people.js";
import * as room from "./room.js";
import { keepOpen } from "./sdk.js";
import * as signs from "./signs.js";
import { inSeconds, now, t } from "./text.js";

const BREATH_MS = 300; // between calls that a stream of notifications causes
const CHANGES = new Set(["PostEdited", "Seen", "RoomRenamed"]);
const WISHES = "echo=true&edits=true&presence=true&seen=true";
let me = null, link = null, rooms = new Map();
let era = 0; // a new one with each start and stop
let cursor = "", resumed = false;
let loading = null, stale = false, meanwhile = [];
let turn = Promise.resolve();
const unmarked = new Map(); // room → the newest post in it that was seen, until the server is told

const pause = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });
const failed = (problem) => wait(problem) || tell(problem.words ?? String(problem));

function linkState(text, state) {
  $("link").hidden = false;
  $("link-state").textContent = text;
  $("link").dataset.state = state;
  const retry = $("link-retry");
  if (retry === document.activeElement && state !== "lost") $("main").focus();
  retry.hidden = state !== "lost";
}

/** Opens the rooms of whoever the token belongs to. */
export function start() {
  linkState(t("link.connecting"), "connecting");
  const own = ++era;
  let loaded = false; // also where no socket can be opened, because a proxy in between does not pass it on
  link = keepOpen({
    address: async () => {
      if (!me) {
        const { user } = await call("GET", "login/info");
        if (own !== era) return ""; // stopped meanwhile: perhaps somebody else is here by now
        welcome(user);
      }
      const { ticket } = await call("POST", "login/ticket");
      return server.socketAddress(`room/websocket?ticket=${ticket}&since=${encodeURIComponent(cursor)}&${WISHES}`);
    },
    opened: (again) => {
      linkState(t("link.live"), "live");
      resumed = false;
      loaded = true;
      signs.forget(); // who is there is told anew
      outbox.go();
      refresh().then(() => again && !resumed && tell(t("link.back"), { passing: true }), failed);
      offers.load().catch(failed);
    },
    message: (data) => {
      // In turn, because names may have to be asked for. A bare word is the reason why the socket closes.
      if (data.startsWith("{")) turn = turn.then(() => hear(JSON.parse(data))).catch(failed);
    },
    lost: (seconds) => {
      linkState(t("link.lost", { when: inSeconds(seconds) }), "lost");
      if (me && !loaded) refresh().catch(wait);
      loaded = true;
    },
    closed: () => false, // a token that ended is refused when the next ticket is asked for
  });
}

/** Ends the tries of a person whom the server lets into no room before the address is verified: whether that was it. */
function wait(problem) {
  if (problem.code !== "EmailNotVerified" || !me) return false;
  link?.stop();
  link = null;
  $("link").hidden = true;
  address.demand(me);
  return true;
}

export function stop() {
  era += 1;
  link?.stop();
  link = me = null;
  cursor = "";
  rooms = new Map();
  unmarked.clear();
  room.forget();
  outbox.stop();
  signs.forget();
  offers.forget();
  mentions.forget();
  address.hide();
  draw();
  $("account").hidden = $("link").hidden = true;
  $("who").textContent = "";
  delete $("link").dataset.state;
}

function welcome(user) {
  me = user;
  $("who").textContent = user.username;
  $("account").hidden = false;
  know(user.userId, user.username);
  address.show(user);
  notify.load().catch(failed);
  outbox.start(user.userId, { changed: compose.drawWaiting, sent });
}

/** Loads the list, and the open room with it; calls that come meanwhile make it load once more. */
function refresh() {
  stale = true;
  loading ??= (async () => {
    try {
      while (stale) {
        stale = false;
        await load();
        if (stale) await pause(BREATH_MS);
      }
    } finally {
      loading = null;
    }
  })();
  return loading;
}

async function load() {
  meanwhile = [];
  const listed = await call("GET", "room/list");
  if (!me) return;
  rooms = new Map(listed.rooms.map((entry) => [entry.roomId, entry]));
  for (const post of meanwhile) add(...post); // the list may be older than what came while it was asked for
  for (const { roomId, unread } of rooms.values()) if (!unread) mentions.read(roomId);
  mentions.look([...rooms.values()], me.username, (roomId) => rooms.get(roomId)?.unread ?? 0).then((found) => found && draw(), failed);
  draw();
  const open = room.openRoom();
  if (open === undefined) return route();
  if (!rooms.has(open)) location.hash = "rooms";
  else await room.update(rooms.get(open));
  markSeen();
}

async function hear(frame) {
  const last = cursor;
  cursor = frame.cursor ?? last;
  const entry = rooms.get(frame.roomId);
  if (loading && CHANGES.has(frame.type)) stale = true; // the list that is on its way may have it as it was
  switch (frame.type) {
    case "Resumed":
      resumed = frame.recovered && last !== "";
      if (resumed) tell(t("link.recovered", { missed: frame.missed }), { passing: true });
      return;
    case "NewPost":
      return hearPost(frame);
    case "PostEdited":
      return hearEdit(frame, entry);
    case "PostDeleted":
      return hearDeletion(frame, entry);
    case "Seen":
      return hearSeen(frame, entry);
    case "RoomRenamed":
      return hearName(frame, entry);
    case "Presence":
    case "Typing":
      return signs.hear(frame);
    case "NewUsersInRoom": {
      const who = await nameOf(frame.userWhoInvited), names = await namesOf(frame.newUsers);
      room.note(entry, frame.userWhoInvited === me?.userId ? t("room.invitedOk", { names }) : t("room.joined", { who, names }));
      break;
    }
    case "UserLeftRoom":
      signs.gone(frame.userId, frame.roomId);
      room.note(entry, t(frame.userDeleted ? "room.deleted" : "room.left", { who: await nameOf(frame.userId) }));
      break;
  }
  const out = frame.type === "UserLeftRoom" && frame.userId === me?.userId && entry;
  await refresh();
  if (out && !rooms.has(out.roomId)) await pause(BREATH_MS).then(() => tell(t("room.out", { room: out.name }), { passing: true })); // a change of the address empties the line
  const asked = { RoomInvitation: "room.invited", RoomCreated: "room.created" }[frame.type];
  if (!asked) return;
  if (frame.type === "RoomInvitation" && !rooms.has(frame.roomId)) return offers.announce(frame.roomId);
  const actor = frame.userWhoInvited ?? frame.creatorId;
  if (actor === me?.userId) return; // in another window or on another device
  const who = await nameOf(actor);
  tell(t(asked, { who, room: rooms.get(frame.roomId)?.name ?? "" }), { passing: true });
}

async function hearPost({ postId, userId, content, createdAt, roomId }) {
  const post = { id: postId, user: userId, username: await nameOf(userId), content, createdAt };
  if (!rooms.has(roomId)) return refresh();
  const own = userId === me?.userId;
  if (own) outbox.heardOf({ roomId, content });
  else signs.quiet(userId, roomId);
  if (room.openRoom() === roomId) room.showPost(post);
  if (!own) mentions.note(roomId, post, me.username);
  took(roomId, post, own ? 0 : 1);
  if (!own) notify.tell({ roomId, title: rooms.get(roomId)?.name ?? "", body: t("room.preview", { name: post.username, text: content.slice(0, 300) }) }).catch(() => {});
}

/** How far this person has read, perhaps on another device. */
function hearSeen({ postId }, entry) {
  if (!entry?.unread) return;
  if (entry.lastPost && postId < entry.lastPost.id) return refresh();
  read(entry);
}

async function hearName({ userId, roomId, name }, entry) {
  if (!entry) return;
  entry.name = name;
  if (room.openRoom() === roomId) room.rename(name);
  draw();
  room.note(entry, t("room.renamed", { who: await nameOf(userId), room: name }));
}

function hearEdit({ roomId, postId, content, editedAt }, entry) {
  if (room.openRoom() === roomId) log.edit(postId, content, editedAt);
  if (entry?.lastPost?.id !== postId) return;
  entry.lastPost.content = content;
  draw();
}

function hearDeletion({ roomId, postId }, entry) {
  if (room.openRoom() === roomId) log.remove(postId);
  if (!entry) return;
  return refresh(); // what is unread, and which post is the last, may be another now
}

/** One's own post has arrived at the server. */
function sent({ roomId, content }, postId) {
  const post = { id: postId, user: me.userId, username: me.username, content, createdAt: now() };
  if (room.openRoom() === roomId) room.showPost(post);
  took(roomId, post);
}

function took(roomId, post, unread = 0) {
  if (loading) meanwhile.push([roomId, post, unread]);
  add(roomId, post, unread);
}

/** Puts a post into the list, which may have it already. */
function add(roomId, post, unread) {
  const entry = rooms.get(roomId);
  if (!entry || entry.lastPost?.id >= post.id) return;
  entry.lastPost = post;
  entry.unread += unread;
  draw();
  markSeen();
}

/** What is on the screen counts as read, unless the page is in the background. Said to the server now and then. */
function markSeen() {
  const entry = rooms.get(room.openRoom());
  if (document.hidden || !entry?.unread || !entry.lastPost) return;
  read(entry);
  if (unmarked.size === 0) pause(BREATH_MS).then(tellSeen).catch(failed);
  unmarked.set(entry.roomId, entry.lastPost.id);
}

function read(entry) {
  entry.unread = 0;
  mentions.read(entry.roomId);
  draw();
}

async function tellSeen() {
  const seen = [...unmarked];
  unmarked.clear();
  for (const [roomId, postId] of seen) await call("POST", `room/seen/${roomId}`, { postId });
}

function draw() {
  const open = room.openRoom(), entries = [...rooms.values()];
  list.draw(entries, open);
  $("no-rooms").hidden = rooms.size > 0 || !me;
  $("choose-room").hidden = rooms.size === 0 || open !== undefined;
  if (me) setTitle(rooms.get(open)?.name ?? t("title.rooms"), entries.reduce((sum, entry) => sum + entry.unread, 0));
}

/** Shows what the address names: #room-12, or else the list. */
export function route() {
  if (!me) return;
  const entry = rooms.get(Number(/^#room-(\d+)$/.exec(location.hash)?.[1]));
  $("rooms").classList.toggle("in-room", Boolean(entry));
  if (!entry) {
    const left = room.openRoom();
    room.close();
    draw();
    if (left) ($(`room-link-${left}`) ?? $("rooms-title")).focus();
  } else if (entry.roomId !== room.openRoom()) {
    room.enter(entry, me).then(markSeen).catch(failed);
    draw();
  }
}

/** Wires the list's controls, once. */
export function wire() {
  room.wire({ changed: () => refresh().catch(failed), failed });
  address.wire((user) => {
    me = user;
    if (!link) start();
  });
  offers.wire({ failed, joined: async (roomId) => { await refresh(); location.hash = `room-${roomId}`; } });
  const create = $("create").querySelector("form");
  serve(create, [], async ({ name, people }) => {
    const otherUsers = await find(people);
    const { roomId } = await bring("room/create", { otherUsers, ...(name.trim() && { name: name.trim() }) });
    create.reset();
    $("create").open = false;
    await refresh();
    location.hash = `room-${roomId}`;
  });
  $("first-room").addEventListener("click", () => {
    $("create").open = true;
    $("create-name").focus();
  });
  $("link-retry").addEventListener("click", () => link?.retry());
  document.addEventListener("visibilitychange", () => {
    if (document.hidden || !me) return;
    address.recheck().catch(failed);
    if (link) refresh().then(offers.recheck).catch(failed); // also what this user did in other windows
  });
}
