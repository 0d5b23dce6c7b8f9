// The authenticator app of an account: set up, its recovery codes, switched off.

import { call } from "./api.js";
import { $ } from "./dom.js";
import { serve } from "./form.js";
import { t } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";

/** Shows whether it is on, and how many recovery codes are left. */
export function draw(on, left) {
  $("totp-state").textContent = on ? t("settings.totpOn", { left }) : t("settings.totpOff");
  $("totp-begin").hidden = on;
  $("totp-remove").hidden = !on;
}

/** The server's image, made anew: the policy of the page takes no markup. */
function image(svg) {
  const width = /\swidth="(\d+)"/.exec(svg)[1], scale = /scale\((\d+)\)/.exec(svg)?.[1] ?? 1;
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", `0 0 ${width / scale} ${width / scale}`);
  for (const [, attributes] of svg.matchAll(/<path([^>]*)>/g)) {
    const path = document.createElementNS(SVG, "path");
    for (const [, name, value] of attributes.matchAll(/([\w-]+)="([^"]*)"/g)) path.setAttribute(name, value);
    made.append(path);
  }
  return made;
}

/** Wires it, once. changed(): loads the state again. does: see settings.js. */
export function wire({ changed, does }) {
  const confirm = $("totp-confirm"), remove = $("totp-remove");
  does("totp-begin", "totp-begin-error", async () => {
    const { secret, qr } = await call("POST", "login/totp");
    $("totp-qr").replaceChildren(image(qr));
    $("totp-secret").textContent = secret;
    $("totp-begin").hidden = true;
    confirm.hidden = false;
    $("totp-confirm-code").focus();
  });
  serve(confirm, ["code"], async ({ code }) => {
    const { recoveryCodes } = await call("POST", "login/totp/confirm", { code: code.trim() });
    confirm.reset();
    confirm.hidden = true;
    await changed();
    $("recovery-codes-text").textContent = recoveryCodes.join("\n");
    $("recovery-codes").hidden = false;
  });
  serve(remove, ["password"], async ({ password }) => {
    await call("DELETE", "login/totp", { password });
    remove.reset();
    $("recovery-codes").hidden = true;
    await changed();
    $("totp-begin").focus();
  });
}
