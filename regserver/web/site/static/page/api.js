// The server, its refusals in words, and the token, which lives in this tab alone and never in an address.

import { drop, keep, kept } from "./kept.js";
import { Refused, Regserver } from "./sdk.js";
import { inSeconds, t } from "./text.js";

const TOKEN = "token";

/** A refusal. who: the user names that it is about. */
export class Problem extends Refused {
  get words() {
    const values = { code: this.code, when: inSeconds(this.retryAfter || 5), name: this.who ?? "" };
    if (this.code === "NotApproved" && this.answer?.waitsFor === "verification") return t("error.NotVerified");
    const fallback = this.status >= 500 ? "error.InternalError" : "error.Unexpected";
    return t(`error.${this.code}`, values) || t(fallback, values);
  }
}

export const server = new Regserver(new URL(".", document.baseURI), {
  token: kept(TOKEN),
  language: document.documentElement.lang, // messages come in the page's language
  retries: 0, // who waits is told at once
  Refused: Problem,
  ended: (problem) => document.dispatchEvent(new CustomEvent("session-ended", { detail: problem })),
});

export const token = () => server.token;
export const keepToken = (value) => keep(TOKEN, (server.token = value));
export const dropToken = () => {
  drop(TOKEN);
  server.token = null;
};

export const call = (...asked) => server.call(...asked);

/** Reads a file of the server. Rejects with a Problem. */
export const download = async (path) => (await server.ask("GET", path)).blob();
