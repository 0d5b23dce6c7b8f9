// Posts on their way. Each has a key of its own, so that one which is sent again after a lost answer is made once. They leave
// one after another; while the server is away or busy they wait, also over a reload of the page.

import { call } from "./api.js";
import * as tab from "./kept.js";
import { randomKey } from "./sdk.js";

const KEY = "outbox";
const TOO_OLD_MS = 12 * 3600_000; // the server knows a key for a day
const LONGEST_SECONDS = 30;
const BUSY = [408, 429, 500, 502, 503, 504];

let user = null, posts = [], running = false, hurried = false, timer = null, tries = 0;
let heard = { changed() {}, sent() {} };

const passing = ({ code, status }) => code === "Offline" || (BUSY.includes(status) && code !== "QuotaExceeded");

function changed() {
  if (posts.length === 0) tab.drop(KEY);
  else tab.keep(KEY, JSON.stringify({ user, posts }));
  heard.changed();
}

/** Those of a room, in their order. */
export const of = (roomId) => posts.filter((post) => post.roomId === roomId);

/** Begins for somebody, with what a reload has left. hooks: changed(); sent(post, postId). */
export function start(userId, hooks) {
  heard = hooks;
  if (user === userId) return go();
  user = userId;
  const left = JSON.parse(tab.kept(KEY) ?? "null");
  posts = left?.user === userId ? left.posts : [];
  for (const post of posts) post.state = Date.now() - post.at > TOO_OLD_MS ? "refused" : "waiting";
  changed();
  go();
}

/** Stops, and keeps what waits for the same person. */
export function stop() {
  clearTimeout(timer);
  timer = user = null;
  posts = [];
}

/** Forgets what waits. */
export function forget() {
  stop();
  tab.drop(KEY);
}

/** Puts a post behind the others. */
export function send(roomId, content) {
  posts.push({ key: randomKey(), roomId, content, at: Date.now(), state: "waiting" });
  changed();
  go();
}

/** A post of one's own was heard of: if it is the one that is on its way, its answer is not waited for. */
export function heardOf({ roomId, content }) {
  const post = posts.find(({ state }) => state === "sending");
  if (!post || post.roomId !== roomId || post.content !== content) return;
  posts = posts.filter((one) => one !== post);
  changed();
}

/** Sends one again that was refused. */
export function again(post) {
  post.state = "waiting";
  changed();
  go();
}

/** Takes one back that was refused. */
export function drop(post) {
  posts = posts.filter((one) => one !== post);
  changed();
}

/** Does not wait for the next try: the connection is back. A try that is on its way may still fail of the lost one. */
export function go() {
  clearTimeout(timer);
  timer = null;
  hurried = running;
  if (!running) run();
}

async function run() {
  running = true;
  try {
    for (let post; (post = posts.find(({ state }) => state === "waiting"));) if (!(await one(post))) return;
  } finally {
    running = false;
  }
}

async function one(post) {
  const owner = user;
  hurried = false;
  post.state = "sending";
  changed();
  try {
    const { postId } = await call("POST", `room/post/${post.roomId}`, { content: post.content }, { "Idempotency-Key": post.key });
    tries = 0;
    if (owner !== user) return false;
    posts = posts.filter((other) => other !== post);
    heard.sent(post, postId);
    changed();
    return true;
  } catch (problem) {
    if (owner !== user) return false;
    const waits = passing(problem);
    Object.assign(post, { state: waits ? "waiting" : "refused", words: problem.words ?? String(problem) });
    changed();
    const pause = hurried ? 0 : Math.min(LONGEST_SECONDS, 2 ** tries++);
    if (waits) timer = setTimeout(go, 1000 * Math.max(problem.retryAfter ?? 0, pause));
    return !waits;
  }
}
