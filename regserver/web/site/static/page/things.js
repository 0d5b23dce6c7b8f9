// What belongs to an account, each with a button that ends it.

import { Problem } from "./api.js";
import { make } from "./dom.js";

/** An item of a list of them. action: the button's words; without it there is none. end(): does it. */
export function thing(title, details, action, end) {
  const words = make("div", {}, make("strong", { dir: "auto" }, title), make("p", { className: "hint" }, details));
  if (!action) return make("li", {}, words);
  const button = make("button", { type: "button", className: "small" }, action);
  button.setAttribute("aria-label", `${action}: ${title}`);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      await end();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      words.lastChild.textContent = problem.words;
      button.disabled = false;
    }
  });
  return make("li", {}, words, button);
}

/** Empties the errors and the secrets of a part. */
export function clear(part) {
  for (const error of part.querySelectorAll(".error")) error.textContent = "";
  for (const secret of part.querySelectorAll("code, pre")) secret.textContent = "";
  for (const shown of part.querySelectorAll("#new-token, #recovery-codes, #totp-confirm")) shown.hidden = true;
}
