// On a server for trying out: the mails and SMS that it would have sent, the newest first. Links of this server can be followed.

import { call } from "./api.js";
import { $, make } from "./dom.js";
import { t, when } from "./text.js";

const LOOK_MS = 2_000;
let read = 0, newest = 0;

async function look() {
  if (document.hidden) return;
  const { letters } = await call("GET", "mailbox");
  if (letters.length && letters[0].number !== newest) draw(letters);
}

function draw(letters) {
  newest = letters[0].number;
  $("mailbox-empty").hidden = true;
  $("letters").replaceChildren(...letters.map(item));
  mark();
}

function mark() {
  if ($("mailbox").open) read = newest;
  $("mailbox-unread").hidden = newest === read;
  $("mailbox-unread").textContent = String(newest - read);
}

function item({ kind, to, subject, text, at }) {
  const head = t(kind === "mail" ? "mailbox.mail" : "mailbox.sms", { to });
  const title = make("p", { className: "hint" }, head, " · ", make("time", { dateTime: at }, when(new Date(at))));
  return make("li", {}, title, make("b", {}, subject), make("pre", {}, ...linked(text)));
}

function linked(text) {
  return text.split(/(https?:\/\/\S+)/).map((part) =>
    part.startsWith(`${location.origin}/`) ? make("a", { href: part, target: "_blank", rel: "noopener" }, part) : part);
}

/** Looks now and then, where the page has a mailbox. */
export function wire() {
  if (!$("mailbox")) return;
  $("mailbox").addEventListener("toggle", mark);
  const failed = () => {}; // the next look is soon
  setInterval(() => look().catch(failed), LOOK_MS);
  look().catch(failed);
}
