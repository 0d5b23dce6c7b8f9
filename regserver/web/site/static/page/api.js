// The server, its refusals in words, and the session: in a cookie for all tabs, which no script can read, or, for whoever wants to be
// signed in here alone, as a token of this tab. Neither is ever in an address.

import { drop, dropShared, keep, kept, keepShared, shared } from "./kept.js";
import { Refused, Regserver } from "./sdk.js";
import { inSeconds, learnTime, t } from "./text.js";

const TOKEN = "token", MARK = "session";
const BY_COOKIE = { "X-Regserver-Session": "cookie" };
const OVER = new Set(["BadToken", "MissingAuth", "UserIsDeleted", "NotApproved"]);

/** A refusal. who: the user names that it is about. */
export class Problem extends Refused {
  get words() {
    const values = { code: this.code, when: inSeconds(this.retryAfter || 5), name: this.who ?? "" };
    if (this.code === "NotApproved" && this.answer?.waitsFor === "verification") return t("error.NotVerified");
    const fallback = this.status >= 500 ? "error.InternalError" : "error.Unexpected";
    return t(`error.${this.code}`, values) || t(fallback, values);
  }
}

const told = (problem) => document.dispatchEvent(new CustomEvent("session-ended", { detail: problem }));
let mark = kept(TOKEN) ? null : shared(MARK) ?? null; // of the session in the cookie, by which tabs know whether it is still the same

class Page extends Regserver {
  /** The address of a registration's events as a stream, built from the page's own. */
  streamAddress(location) {
    return new URL(`register/${location.split("/").pop()}/events?eta=1`, this.base).href;
  }

  async ask(method, path, body, headers = {}) {
    const asking = mark;
    try {
      const response = await super.ask(method, path, body, this.token ? headers : { ...headers, ...BY_COOKIE });
      learnTime(response.headers.get("Date"));
      return response;
    } catch (problem) {
      if (!this.token && asking && asking === mark && OVER.has(problem.code)) told(problem);
      throw problem;
    }
  }
}

export const server = new Page(new URL(".", document.baseURI), {
  token: kept(TOKEN),
  language: document.documentElement.lang, // messages come in the page's language
  retries: 0, // who waits is told at once
  Refused: Problem,
  ended: told,
});

export const call = (...asked) => server.call(...asked);

/** Reads a file of the server. Rejects with a Problem. */
export const download = async (path) => (await server.ask("GET", path)).blob();

// --- the session
/** Something that is another one for every session; null while nobody is signed in. */
export const token = () => server.token ?? mark;

const others = globalThis.BroadcastChannel ? new BroadcastChannel("regserver") : null;

/** Takes a new session. everywhere: for all tabs and until it ends; else for this tab alone. Rejects with a Problem. */
export async function keepToken(issued, everywhere) {
  mark = null;
  server.token = issued;
  if (!everywhere || !navigator.cookieEnabled) return keep(TOKEN, issued);
  let begun;
  try {
    begun = await server.call("POST", "session");
  } catch (problem) {
    if (OVER.has(problem.code)) throw problem;
    return keep(TOKEN, issued); // at least here
  }
  server.token = null;
  drop(TOKEN);
  mark = begun.mark;
  keepShared(MARK, mark);
  others?.postMessage(mark);
}

/** Forgets the session here. A session for all tabs is over in all of them. */
export function dropToken() {
  const wasShared = mark !== null;
  drop(TOKEN);
  server.token = mark = null;
  if (!wasShared) return;
  dropShared(MARK);
  others?.postMessage(null);
}

/** Ends the session at the server, too. all: every session of the account. */
export const endSession = (all = false) => call("DELETE", `${mark === null ? "login/token" : "session"}${all ? "?all=true" : ""}`);

/** Finds the session of this browser where only the cookie knows of it. Resolves with whether there is one. */
export async function findSession() {
  if (token()) return true;
  const { mark: found } = await call("GET", "session");
  if (token()) return true;
  mark = found;
  if (mark !== null) keepShared(MARK, mark);
  return mark !== null;
}

/** Tells what other tabs do. entered(): another session is in the cookie by now; left(): the session is over. */
export function hearOthers({ entered, left }) {
  const hear = (now) => {
    if (server.token || now === undefined || now === mark) return; // undefined: the browser keeps nothing that could be compared
    mark = now;
    if (now === null) left();
    else entered();
  };
  const compare = () => hear(shared(MARK));
  if (others) others.onmessage = ({ data }) => hear(data);
  window.addEventListener("storage", compare);
  window.addEventListener("pageshow", ({ persisted }) => persisted && compare());
  document.addEventListener("visibilitychange", () => document.hidden || compare());
}
