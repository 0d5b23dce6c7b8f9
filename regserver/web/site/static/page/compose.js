// Writing: a draft for each room, names that are completed, and what waits to be sent.

import { call } from "./api.js";
import { complete } from "./complete.js";
import { $, make } from "./dom.js";
import * as draft from "./draft.js";
import { serve } from "./form.js";
import * as log from "./log.js";
import * as outbox from "./outbox.js";
import { edit } from "./post.js";
import { t } from "./text.js";

const MOST_BYTES = 16 * 1024;
const TYPING_MS = 2_000; // more often than this the server passes nothing on
let room = null, me = null, told = 0;
const bytes = new TextEncoder();
const number = new Intl.NumberFormat(document.documentElement.lang);

/** Writes for this room, with what was begun there. */
export function enter(roomId, user) {
  leave();
  [room, me] = [roomId, user];
  $("compose").reset();
  $("compose-content").value = draft.kept(me.userId, room);
  measure();
  drawWaiting();
}

/** Keeps what was begun. */
export function leave() {
  if (room !== null) draft.keep(me.userId, room, $("compose-content").value);
  room = null;
}

/** How much too long it is, told while one writes. */
function measure() {
  const field = $("compose-content"), size = bytes.encode(field.value).length, over = size > MOST_BYTES;
  $("compose-size").textContent = over ? t("room.tooLong", { size: number.format(size), most: number.format(MOST_BYTES) }) : "";
  if (over) field.setAttribute("aria-invalid", "true");
  else field.removeAttribute("aria-invalid");
  return !over;
}

/** What of this room is on its way, below the posts. */
export function drawWaiting() {
  const waiting = room === null ? [] : outbox.of(room);
  const grown = waiting.length > $("room-waiting").childElementCount;
  $("room-waiting").replaceChildren(...waiting.map(waitingItem));
  if (grown) log.follow();
}

function waitingItem(post) {
  const { state, content, words } = post;
  const item = make("li", { className: `mine ${state}` }, make("div", { className: "content", dir: "auto" }, content));
  const status = { sending: t("room.sending"), waiting: t(words ? "room.waits" : "room.sending"), refused: t("room.refused", { why: words ?? "" }) }[state];
  const line = make("p", { className: "meta" }, status);
  if (state === "refused") {
    const button = (text, act) => {
      const made = make("button", { type: "button", className: "tool" }, text);
      made.addEventListener("click", () => {
        act(post);
        $("compose-content").focus();
      });
      return made;
    };
    line.append(" ", button(t("room.again"), outbox.again), " ", button(t("room.discard"), outbox.drop));
  }
  item.append(line);
  return item;
}

function tellTyping() {
  if (Date.now() - told < TYPING_MS || room === null || !$("compose-content").value) return;
  told = Date.now();
  call("POST", `room/typing/${room}`).catch(() => {}); // for the moment alone
}

/** The @name before the caret. */
function calling({ value, selectionStart, selectionEnd }) {
  if (selectionStart !== selectionEnd) return null;
  const found = /(?<![\p{L}\p{N}_@./])@([\p{L}\p{N}\p{M}._-]*)$/u.exec(value.slice(0, selectionStart));
  return found && { from: found.index, text: found[1] };
}

/** Wires the form. find(text): resolves with the names of members that begin so. */
export function wire({ find }) {
  const form = $("compose"), field = form.elements.content;
  complete(field, $("compose-names"), { part: calling, find, place: (name) => `@${name} ` });
  serve(form, ["content"], async ({ content }) => {
    if (room === null || !measure()) return field.focus();
    field.value = "";
    draft.keep(me.userId, room, "");
    told = 0;
    outbox.send(room, content);
    log.follow();
    field.focus();
  });
  const touch = matchMedia("(hover: none)"); // there, Enter is the only way to a new line
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowUp" && field.value === "" && log.ownLast()) {
      event.preventDefault();
      return edit(log.ownLast());
    }
    if (event.key !== "Enter" || event.shiftKey || touch.matches) return;
    event.preventDefault();
    form.requestSubmit();
  });
  field.addEventListener("input", () => {
    measure();
    if (room !== null) draft.keep(me.userId, room, field.value);
    tellTyping();
  });
  $("sign-out").addEventListener("click", () => {
    if (!me) return;
    room = null;
    draft.forget(me.userId);
    outbox.forget();
  }, { capture: true });
}
