// Rooms that somebody has offered to this person, who joins or declines. There are some only where the server asks people first.

import { call, token } from "./api.js";
import { $, make, tell } from "./dom.js";
import { t } from "./text.js";

let offers = [];
let answered = null;

const titleOf = ({ name }) => name ?? t("room.unnamed");

/** Loads the offers. */
export async function load() {
  const asker = token();
  const answer = await call("GET", "room/offers");
  if (asker !== token()) return; // somebody else's by now
  offers = answer.offers;
  draw();
}

/** Loads the offers, and tells of the one of this room, if there is one. */
export async function announce(roomId) {
  await load();
  const offer = offers.find((one) => one.roomId === roomId);
  if (offer) tell(t("room.asked", { who: offer.username, room: titleOf(offer) }), { passing: true });
}

/** Loads them again if there were some: they may have been answered in another window. */
export async function recheck() {
  if (offers.length > 0) await load();
}

/** Forgets what this person was offered. */
export function forget() {
  offers = [];
  draw();
}

/** Wires the answers, once. joined(roomId): this person is a member now; failed(problem): tells it. */
export function wire({ joined, failed }) {
  answered = async (offer, verb) => {
    try {
      await call("POST", `room/${verb}/${offer.roomId}`);
      drop(offer);
      if (verb === "accept") return await joined(offer.roomId);
      tell(t("room.declined", { room: titleOf(offer) }), { passing: true });
    } catch (problem) {
      if (problem.code === "RoomNotFound") drop(offer); // its room is gone, or it was answered elsewhere
      failed(problem);
    }
  };
}

function drop(offer) {
  const focused = $(`offer-${offer.roomId}`)?.contains(document.activeElement);
  offers = offers.filter((one) => one !== offer);
  draw();
  if (focused) ($("offer-list").querySelector("button") ?? $("rooms-title")).focus();
}

function draw() {
  const focused = document.activeElement?.id;
  $("offers").hidden = offers.length === 0;
  $("offer-list").replaceChildren(...offers.map(offerItem));
  if (focused?.startsWith("offer-")) $(focused)?.focus();
}

function offerItem(offer) {
  const buttons = make("p", { className: "buttons" }, button(offer, "decline", t("room.decline")), button(offer, "accept", t("room.join")));
  return make("li", { id: `offer-${offer.roomId}` },
    make("p", { className: "room-name", dir: "auto", id: `offer-name-${offer.roomId}` }, titleOf(offer)),
    make("p", { className: "hint" }, t("room.offeredBy", { who: offer.username })), buttons);
}

/** What a button does is its name, to which room is its description. */
function button(offer, verb, words) {
  const made = make("button", { type: "button", id: `offer-${verb}-${offer.roomId}`, className: "small" }, words);
  if (verb === "accept") made.classList.add("primary");
  made.setAttribute("aria-describedby", `offer-name-${offer.roomId}`);
  made.addEventListener("click", () => {
    if (made.ariaBusy === "true") return;
    made.ariaBusy = "true";
    answered(offer, verb).finally(() => { made.ariaBusy = "false"; });
  });
  return made;
}
