// The few things that every part of the page does to the document. What people wrote only ever becomes text nodes.

import { t } from "./text.js";

export const $ = (id) => document.getElementById(id);

/** Ends the present task, so that the browser can paint and answer; what follows is another one. */
export const breath = () => globalThis.scheduler?.yield?.() ?? new Promise((resolve) => { setTimeout(resolve); });

/** An element with properties and children; children that are strings become text. */
export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const VIEWS = {
  "sign-in": "title.signIn", "sign-up": "title.signUp", factor: "title.signIn", forgot: "title.forgot", code: "title.signIn",
  registration: "title.registration", settings: "title.settings", rooms: "title.rooms",
};
const PASSING_MS = 20_000;
let shown = null;

/** Shows one of the page's views and hides the others; moves the focus there unless the page has just opened. */
export function show(view) {
  if (shown === view) return;
  for (const id of Object.keys(VIEWS)) $(id).hidden = id !== view;
  setTitle(t(VIEWS[view]));
  tell("");
  if (shown !== null) {
    scrollTo(0, 0);
    $(`${view}-title`).focus({ preventScroll: true });
  }
  shown = view;
}

export function setTitle(text, unread = 0) {
  document.title = `${unread ? `(${unread}) ` : ""}${text} · ${document.body.dataset.brand}`;
}

let fading = null;

/** The line above the page's content, read out by screen readers. passing: it goes after a while by itself.
 *  action, act(): the words of a button behind it and what it does. */
export function tell(text, { passing = false, action = "", act } = {}) {
  clearTimeout(fading);
  $("notice").textContent = text;
  $("notice-act").hidden = !action;
  $("notice-act").textContent = action;
  $("notice-act").onclick = act;
  if (passing) fading = setTimeout(tell, PASSING_MS, "");
}

/** Asks in a dialog; resolves with whether the answer was yes. harmless: yes takes nothing away. */
export function confirmed(title, body, action, { harmless = false } = {}) {
  const dialog = $("confirm");
  $("confirm-title").textContent = title;
  $("confirm-body").textContent = body;
  $("confirm-yes").textContent = action;
  $("confirm-yes").classList.toggle("danger", !harmless);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** The notice closes by its button. Menus close on Escape, and when something else is used. */
export function wire() {
  $("notice-close").addEventListener("click", () => {
    tell("");
    $("main").focus();
  });
  const close = (except) => {
    if (except.closest("dialog")) return; // it asks about something in the menu
    for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(except)) menu.open = false;
  };
  document.addEventListener("click", ({ target }) => close(target));
  document.addEventListener("focusin", ({ target }) => close(target));
  document.addEventListener("keydown", ({ key, target }) => {
    const menu = key === "Escape" && target.closest("details.menu[open]");
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}
