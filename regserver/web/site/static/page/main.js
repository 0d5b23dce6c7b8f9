// The page's beginning: which view to show, signing in and up, and the account.

import { call, dropToken, keepToken, token } from "./api.js";
import { $, confirmed, show, tell, wireMenus } from "./dom.js";
import { serve } from "./form.js";
import { prove } from "./proof.js";
import { begin, watch } from "./registration.js";
import * as rooms from "./rooms.js";
import { t } from "./text.js";

let watching = false;

function route() {
  if (location.hash === "#main") return; // the skip link
  tell("");
  if (token()) rooms.route();
  else if (!watching) show(location.hash === "#sign-up" ? "sign-up" : "sign-in");
}

function signIn(issued) {
  keepToken(issued);
  rooms.start();
}

function leave(words) {
  rooms.stop();
  dropToken();
  history.replaceState(null, "", location.pathname + location.search);
  show("sign-in");
  tell(words);
}

const signInForm = $("sign-in").querySelector("form");
serve(signInForm, ["username", "password"], async ({ username, password }) => {
  // 202 instead of 303: a script may not see where a redirect leads.
  const answer = await call("POST", "login", { username: username.trim(), password }, { Prefer: "respond-async" });
  signInForm.reset();
  if (answer.token) return signIn(answer.token);
  begin(answer.location);
  watching = watch();
});

const signUpForm = $("sign-up").querySelector("form"); // none where sign-up is closed
if (signUpForm) serve(signUpForm, ["username", "email", "password"], async ({ username, email, password }) => {
  const body = { username: username.trim(), email: email.trim(), password };
  if ("proves" in signUpForm.dataset) body.captcha = await prove();
  const answer = await call("POST", "login/register", body);
  signUpForm.reset();
  signIn(answer.token);
});

$("registration-continue").addEventListener("click", () => {
  watching = false;
  rooms.start();
});
$("registration-again").addEventListener("click", () => {
  watching = false;
  show("sign-in");
});

$("sign-out").addEventListener("click", async () => {
  rooms.stop();
  await call("DELETE", "login/token").catch(() => {}); // what cannot be revoked now is forgotten here, and lapses
  leave(t("session.signedOut"));
});

$("delete-account").addEventListener("click", async () => {
  $("account").open = false;
  const name = $("who").textContent;
  if (!(await confirmed(t("confirm.deleteTitle"), t("confirm.deleteBody", { name }), t("confirm.delete")))) return;
  rooms.stop(); // before the server closes the socket, which would read like a lost connection
  try {
    await call("DELETE", "login/delete");
    leave(t("confirm.deleted"));
  } catch (problem) {
    if (!token()) return; // the session has ended meanwhile, and that was said
    rooms.start();
    tell(problem.words);
  }
});

document.addEventListener("session-ended", ({ detail }) => leave(detail.words));
window.addEventListener("hashchange", route);
for (const link of document.querySelectorAll(".languages a")) {
  link.addEventListener("click", () => { link.hash = location.hash; });
}

wireMenus();
rooms.wire();
if (token()) rooms.start();
else {
  watching = watch();
  route();
}
