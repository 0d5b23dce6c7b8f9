// The notice that the account's e-mail address is not verified yet, with another e-mail for whoever lost the first.

import { call, Problem } from "./api.js";
import { $, tell } from "./dom.js";
import { t } from "./text.js";

let verified = null;

/** Shows the notice if this user has an address that is not verified. */
export function show({ email, emailVerified }) {
  $("address").hidden = emailVerified || !email;
  $("address-resend").hidden = !email;
  $("address-sent").textContent = t("address.sent", { email });
  $("address-state").textContent = "";
}

/** Shows that this user gets into no room before the address is verified. */
export function demand({ email }) {
  $("address").hidden = false;
  $("address-sent").textContent = t(email ? "address.demanded" : "address.missing", { email });
}

export function hide() {
  $("address").hidden = true;
}

/** Looks whether the address was verified meanwhile, in another window or on another device. */
export async function recheck() {
  if ($("address").hidden) return;
  const { user } = await call("GET", "login/info");
  if (!user.emailVerified || $("address").hidden) return;
  if ($("address").contains(document.activeElement)) $("rooms-title").focus();
  hide();
  tell(t("address.verified"), { passing: true });
  verified(user);
}

/** Wires the button, once. whenVerified(user): the address was verified meanwhile. */
export function wire(whenVerified) {
  verified = whenVerified;
  const button = $("address-resend"), state = $("address-state");
  button.addEventListener("click", async () => {
    if (button.ariaBusy === "true") return;
    button.ariaBusy = "true";
    state.textContent = "";
    try {
      await recheck();
      if ($("address").hidden) return;
      await call("POST", "login/email/resend");
      state.textContent = t("address.resent");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      state.textContent = problem.words;
    } finally {
      button.ariaBusy = "false";
    }
  });
}
