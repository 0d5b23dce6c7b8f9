// What people wrote, as nodes: text, links that are safe to follow, and the names of people who are meant.

import { make } from "./dom.js";

// Nothing invisible and nothing that turns the direction of text may hide in an address.
const LINK = /(?<![\p{L}\p{N}_])(?:https?:\/\/|mailto:)[^\s<>"\u0000-\u001f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+/giu;
const MENTION = /(?<![\p{L}\p{N}_@./])@([\p{L}\p{N}][\p{L}\p{N}\p{M}._-]*)/gu;
const TRAILING = /[.,;:!?'’”»…*_~、。！？）」』]$/u;
const PAIRS = { ")": "(", "]": "[", "}": "{" };
const count = (text, sign) => text.split(sign).length - 1;

/** Without the marks that end a sentence or close a bracket that was opened before the address. */
function trimmed(address) {
  for (;;) {
    const last = address.at(-1), opening = PAIRS[last];
    const closes = opening && count(address, last) > count(address, opening);
    if (!closes && !TRAILING.test(address)) return address;
    address = address.slice(0, -1);
  }
}

/** The URL behind a text, or null for one that shall not be followed: of another scheme, or with a name before the host that poses as it. */
export function safeUrl(text) {
  const url = URL.parse?.(text) ?? (URL.canParse?.(text) ? new URL(text) : null);
  if (!url || !["http:", "https:", "mailto:"].includes(url.protocol)) return null;
  if (url.protocol === "mailto:") return url.pathname.includes("@") ? url : null;
  return url.hostname && !url.username && !url.password ? url : null;
}

function linked(text) {
  const parts = [];
  let end = 0;
  for (const { 0: found, index } of text.matchAll(LINK)) {
    const shown = trimmed(found), url = safeUrl(shown);
    if (!url) continue;
    parts.push(text.slice(end, index), make("a", { href: url.href, target: "_blank", rel: "noopener noreferrer", title: url.href }, shown));
    end = index + shown.length;
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

function mentioned(text, who) {
  const parts = [];
  let end = 0;
  for (const { 0: found, 1: name, index } of text.matchAll(MENTION)) {
    const called = who(name) ? name : name.replace(/[._-]+$/, "");
    const role = who(called);
    if (!role || index < end) continue;
    parts.push(text.slice(end, index), make("mark", { className: role }, `@${called}`));
    end = index + found.length - (name.length - called.length);
  }
  return [...parts, text.slice(end)].filter((part) => part !== "");
}

/** The nodes of a text. who(name): "me", "other", or "" for a name of nobody. */
export function rich(text, who) {
  return linked(text).flatMap((part) => (typeof part === "string" ? mentioned(part, who) : [part]));
}

/** Whether a text names this person. */
export function names(text, username) {
  const own = username.toLowerCase();
  return [...text.matchAll(MENTION)].some(([, name]) => [name, name.replace(/[._-]+$/, "")].some((one) => one.toLowerCase() === own));
}
