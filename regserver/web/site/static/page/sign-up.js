// Making an account.

import { call } from "./api.js";
import { $ } from "./dom.js";
import { serve } from "./form.js";
import { proved } from "./proof.js";

/** Wires the form, once; where sign-up is closed there is none. signedIn(token): somebody is in. */
export function wire(signedIn) {
  const form = $("sign-up").querySelector("form");
  if (form) serve(form, ["username", "email", "password"], async ({ username, email, password, invitation }) => {
    const body = { username: username.trim(), email: email.trim(), password, ...(invitation?.trim() && { invitation: invitation.trim() }) };
    const answer = await call("POST", "login/register", await proved(form, body));
    form.reset();
    await signedIn(answer.token);
  });
}
