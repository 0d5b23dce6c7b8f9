// Forms: fields that must be filled in, refusals shown beside the field they are about, nothing sent twice.

import { Problem } from "./api.js";
import { t } from "./text.js";

const FIELD = {
  BadUsername: "username", UsernameTaken: "username", BadEmail: "email", EmailTaken: "email", BadPassword: "password",
  BadRoomName: "name", BadOtherUsers: "people", NoSuchUser: "people", AccountNotFound: "people", TooManyUsers: "people",
  InvitationRefused: "people", InvitationRequired: "invitation", BadCode: "code", BadCredentials: "password", BadPhone: "contact",
  BadTokenName: "name",
};

/** Serves a form. required: names of fields. submit(values): does the work; a Problem that it throws is shown. fields: beside FIELD. */
export function serve(form, required, submit, fields = {}) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    clear(form);
    const values = Object.fromEntries(new FormData(form));
    const empty = required.find((name) => !values[name].trim());
    if (empty) return complain(form, t("error.Required"), empty);
    form.ariaBusy = "true";
    try {
      await submit(values);
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      complain(form, problem.words, fields[problem.code] ?? FIELD[problem.code]);
    } finally {
      form.ariaBusy = "false";
    }
  });
}

function clear(form) {
  form.querySelector(".error").textContent = "";
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    input.removeAttribute("aria-errormessage");
  }
}

function complain(form, words, name) {
  const error = form.querySelector(".error");
  error.textContent = words;
  const input = form.elements[name];
  input?.setAttribute("aria-invalid", "true");
  input?.setAttribute("aria-errormessage", error.id);
  (input ?? form.elements[0]).focus();
}
