// Ways in beside the right password: a second step, a link in a mail, a one-time code, and bringing a deleted account back.

import { call } from "./api.js";
import { $, confirmed } from "./dom.js";
import * as factor from "./factor.js";
import { serve } from "./form.js";
import { proved } from "./proof.js";
import { t, when } from "./text.js";

const named = (who) => (who.includes("@") ? { email: who.trim() } : { username: who.trim() });
const contact = (text) => (text.includes("@") ? { email: text.trim() } : { phone: text.trim() });

/** What a refused sign-in can still come to: resolves with its answer, or with null where the page asks for more or nothing is wanted.
 *  credentials: the user name and the right password, where they were given. */
export async function instead(problem, credentials) {
  if (factor.asks(problem)) return null;
  const until = credentials && problem.code === "UserIsDeleted" && problem.answer?.restorableUntil;
  if (!until) throw problem;
  const body = t("restore.body", { until: when(new Date(until)) });
  if (!(await confirmed(t("restore.title"), body, t("restore.action"), { harmless: true }))) return null;
  return call("POST", "login/restore", credentials).catch((refused) => instead(refused));
}

function wireForgot() {
  const form = $("forgot").querySelector("form");
  if (form) serve(form, ["who"], async ({ who }) => {
    $("forgot-sent").textContent = "";
    await call("POST", "login/recover", await proved(form, named(who)));
    $("forgot-sent").textContent = t("ways.recoverSent");
  });
}

function wireCode(signedIn) {
  const ask = $("code-ask"), enter = $("code-enter");
  if (!ask) return;
  let asked = {};
  serve(ask, ["contact"], async ({ contact: text }) => {
    $("code-sent").textContent = "";
    const fields = contact(text);
    await call("POST", "login/code", await proved(ask, fields));
    asked = fields;
    enter.hidden = false;
    $("code-sent").textContent = t("ways.codeSent");
    $("code-enter-code").focus();
  });
  serve(enter, ["code"], async ({ code }) => {
    const answer = await call("POST", "login/code/verify", { ...asked, code: code.trim() }).catch((problem) => instead(problem));
    enter.reset();
    ask.reset();
    enter.hidden = true;
    $("code-sent").textContent = "";
    if (answer) await signedIn(answer.token);
  });
}

/** Wires the forms, once; where this page cannot do what a door demands, there are none. signedIn(token): somebody is in. */
export function wire(signedIn) {
  factor.wire(signedIn);
  wireForgot();
  wireCode(signedIn);
}
