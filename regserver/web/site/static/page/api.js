// Calls of the server, its refusals in words, and the token, which lives in this tab alone and never in an address.

import { drop, keep, kept } from "./kept.js";
import { inSeconds, t } from "./text.js";

const TOKEN = "token";
const PATIENCE_MS = 30_000;
const SESSION_ENDS = new Set(["BadToken", "MissingAuth", "BadAuthType", "UserIsDeleted", "NotApproved"]);

export const token = () => kept(TOKEN);
export const keepToken = (value) => keep(TOKEN, value);
export const dropToken = () => drop(TOKEN);

/** A refusal. code: the server's name for it, or one of ours. who: the user names that it is about. answer: what the server said. */
export class Problem extends Error {
  constructor(code, { status = 0, retryAfter = 0, who = "", answer = null } = {}) {
    super(code);
    Object.assign(this, { code, status, retryAfter, who, answer });
  }

  get words() {
    const values = { code: this.code, when: inSeconds(this.retryAfter || 5), name: this.who };
    if (this.code === "NotApproved" && this.answer?.waitsFor === "verification") return t("error.NotVerified");
    const fallback = this.status >= 500 ? "error.InternalError" : "error.Unexpected";
    return t(`error.${this.code}`, values) || t(fallback, values);
  }
}

/** Calls the server; resolves with the answer's JSON, or null. Rejects with a Problem. */
export async function call(method, path, body, headers = {}) {
  return (await ask(method, path, body, headers)).json().catch(() => null);
}

/** Reads a file of the server. Rejects with a Problem. */
export const download = async (path) => (await ask("GET", path)).blob();

async function ask(method, path, body, headers = {}) {
  const bearer = token();
  const response = await send(method, path, body, {
    "Accept-Language": document.documentElement.lang, // messages come in the page's language
    ...headers,
    ...(bearer && { Authorization: `Bearer ${bearer}` }),
    ...(body && { "Content-Type": "application/json" }),
  });
  if (response.ok) return response;
  const answer = await response.json().catch(() => null);
  const retryAfter = Number(response.headers.get("Retry-After"));
  const problem = new Problem(answer?.error ?? String(response.status), { status: response.status, retryAfter, answer });
  // Only what this very token was refused for ends the session: another may have been issued meanwhile.
  if (bearer && bearer === token() && SESSION_ENDS.has(problem.code)) {
    document.dispatchEvent(new CustomEvent("session-ended", { detail: problem }));
  }
  throw problem;
}

async function send(method, path, body, headers) {
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    return await fetch(path, { method, headers, signal, body: body && JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new Problem("Offline");
  }
}

/** The absolute address of one of our sockets. */
export function socketAddress(path) {
  const address = new URL(path, document.baseURI);
  address.protocol = address.protocol.replace("http", "ws");
  address.hash = "";
  return address.href;
}
