// The people of the open room, and what its owner does with them and with its name.

import { call, Problem } from "./api.js";
import { $, confirmed, make } from "./dom.js";
import { serve } from "./form.js";
import { know } from "./people.js";
import { randomKey } from "./sdk.js";
import { t } from "./text.js";

const PAGE_SIZE = 200;
let room = null, me = null, last = 0;

/** Another room. user: who is signed in. */
export function enter(entered, user) {
  [room, me] = [entered, user];
  $("people-list").replaceChildren();
}

/** The room as it is now; who is in it may have changed. */
export function update(entered) {
  room = entered;
  if ($("people").open) attempt(load);
}

async function load(after = 0) {
  const { roomId, name } = room;
  const { owner, users, more } = await call("GET", `room/members/${roomId}?limit=${PAGE_SIZE}${after ? `&after=${after}` : ""}`);
  if (room?.roomId !== roomId) return;
  if (!after) $("people-list").replaceChildren();
  $("people-list").append(...users.map((person) => item(person, owner)));
  last = users.at(-1)?.userId ?? 0;
  $("people-more").hidden = !more;
  $("rename").hidden = owner !== me.userId;
  if (document.activeElement !== $("rename-name")) $("rename-name").value = name;
}

function item({ userId, username }, owner) {
  know(userId, username);
  const words = make("span", {}, make("bdi", {}, username), userId === owner ? ` (${t("room.owner")})` : userId === me.userId ? ` (${t("room.you")})` : "");
  const made = make("li", {}, words);
  if (owner === me.userId && userId !== owner) {
    const button = make("button", { type: "button", className: "small", ariaLabel: `${t("room.remove")}: ${username}` }, t("room.remove"));
    button.addEventListener("click", () => remove(userId, username));
    made.append(button);
  }
  return made;
}

async function remove(userId, who) {
  const { roomId, name } = room;
  if (!(await confirmed(t("room.removeTitle", { who, room: name }), t("room.removeBody"), t("room.remove")))) return;
  await attempt(() => call("POST", `room/kick/${roomId}`, { userId }, { "Idempotency-Key": randomKey() }));
  await attempt(load);
  $("people").querySelector("summary").focus(); // the button that had the focus is gone
}

async function attempt(work) {
  $("people-error").textContent = "";
  try {
    await work();
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    $("people-error").textContent = problem.words;
  }
}

/** Wires it, once. changed(): the room has another name. */
export function wire({ changed }) {
  $("people").addEventListener("toggle", () => { if ($("people").open) attempt(load); });
  $("people-more").addEventListener("click", () => attempt(() => load(last)));
  serve($("rename"), ["name"], async ({ name }) => {
    await call("POST", `room/rename/${room.roomId}`, { name: name.trim() }, { "Idempotency-Key": randomKey() });
    $("people").open = false;
    $("compose-content").focus();
    changed();
  });
}
