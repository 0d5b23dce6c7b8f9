// Ways back in without the password: a link in a mail, a one-time code, and bringing a deleted account back.

import { call, Problem } from "./api.js";
import { $, confirmed } from "./dom.js";
import { orFactor } from "./factor.js";
import { serve } from "./form.js";
import { prove } from "./proof.js";
import { t, when } from "./text.js";

/** The fields of a request, with the built-in captcha where the form demands it. */
export async function proved(form, fields) {
  return "proves" in form.dataset ? { ...fields, captcha: await prove() } : fields;
}

const named = (who) => (who.includes("@") ? { email: who.trim() } : { username: who.trim() });
const contact = (text) => (text.includes("@") ? { email: text.trim() } : { phone: text.trim() });

/** Offers to bring back a deleted account whose password was right; resolves with the answer of the sign-in, or null. */
export async function orRestored(answering, credentials) {
  try {
    return await answering;
  } catch (problem) {
    const until = problem instanceof Problem && problem.code === "UserIsDeleted" && problem.answer?.restorableUntil;
    if (!until) throw problem;
    const body = t("restore.body", { until: when(new Date(until)) });
    if (!(await confirmed(t("restore.title"), body, t("restore.action"), { harmless: true }))) return null;
    return orFactor(call("POST", "login/restore", credentials));
  }
}

/** Wires the forms, once; where this page cannot do what a door demands, there are none. signedIn(token): somebody is in. */
export function wire(signedIn) {
  const forgot = $("forgot").querySelector("form");
  if (forgot) serve(forgot, ["who"], async ({ who }) => {
    $("forgot-sent").textContent = "";
    await call("POST", "login/recover", await proved(forgot, named(who)));
    $("forgot-sent").textContent = t("ways.recoverSent");
  });

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
    const answer = await orFactor(call("POST", "login/code/verify", { ...asked, code: code.trim() }));
    enter.reset();
    ask.reset();
    enter.hidden = true;
    $("code-sent").textContent = "";
    if (answer) await signedIn(answer.token);
  });
}
