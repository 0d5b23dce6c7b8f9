// The second step of a sign-in, where the account has a second factor: a code of the authenticator app, or a recovery code.

import { call } from "./api.js";
import { $, show } from "./dom.js";
import { serve } from "./form.js";

let ticket = "";

/** Whether a sign-in was refused because it needs the second step, which the page asks for by itself from then on. */
export function asks({ code, answer }) {
  if (code !== "SecondFactorRequired") return false;
  ticket = answer.ticket;
  show("factor");
  $("factor-code").focus();
  return true;
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
