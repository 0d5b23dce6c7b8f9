// The second step of a sign-in, where the account has a second factor: a code of the authenticator app, or a recovery code.

import { call, Problem } from "./api.js";
import { $, show } from "./dom.js";
import { serve } from "./form.js";

let ticket = "";

/** Resolves with the answer of a sign-in, or with null once the page asks for the second factor, which it does by itself. */
export async function orFactor(answering) {
  try {
    return await answering;
  } catch (problem) {
    if (!(problem instanceof Problem) || problem.code !== "SecondFactorRequired") throw problem;
    ticket = problem.answer.ticket;
    show("factor");
    $("factor-code").focus();
    return null;
  }
}

/** Wires the form, once. signedIn(token): it was the right code. */
export function wire(signedIn) {
  const form = $("factor").querySelector("form");
  serve(form, ["code"], async ({ code }) => {
    const { token } = await call("POST", "login/factor", { ticket, code: code.trim() });
    form.reset();
    await signedIn(token);
  });
}
