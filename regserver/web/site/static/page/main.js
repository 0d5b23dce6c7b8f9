// The page's beginning: which view to show, signing in and up, and the account.

import { call, dropToken, endSession, findSession, hearOthers, keepToken, token } from "./api.js";
import { $, confirmed, show, tell, wireMenus } from "./dom.js";
import * as factor from "./factor.js";
import { serve } from "./form.js";
import { drop, keep, kept } from "./kept.js";
import * as mailbox from "./mailbox.js";
import * as passkey from "./passkey.js";
import * as push from "./push.js";
import { begin, forget, watch } from "./registration.js";
import * as remember from "./remember.js";
import * as rooms from "./rooms.js";
import * as settings from "./settings.js";
import { t } from "./text.js";
import * as ways from "./ways.js";

const INVITATION = "invitation";
const OPEN_VIEWS = ["sign-up", "forgot", "code"]; // to whoever is not signed in
let watching = false;

function route() {
  if (location.hash === "#main") return; // the skip link
  tell("");
  if (token()) routeInside();
  else if (!watching) routeOutside();
}

function routeInside() {
  $("account").open = false;
  if (location.hash === "#settings") return settings.open();
  show("rooms");
  rooms.route();
}

function routeOutside() {
  if (location.hash.startsWith("#invite=")) {
    keep(INVITATION, location.hash.slice("#invite=".length));
    history.replaceState(null, "", "#sign-up"); // what opens an account shall not stay in the address
  }
  show(OPEN_VIEWS.find((view) => location.hash === `#${view}`) ?? "sign-in");
  fillInvitation();
  if ($("sign-in").hidden) passkey.withdraw();
  else passkey.offer(signIn, passkeyFailed);
}

/** An invitation link fills the field; without one there is none to fill. */
function fillInvitation() {
  const field = $("sign-up-invitation");
  if (field && !field.value) field.value = kept(INVITATION) ?? "";
}

async function signIn(issued) {
  passkey.withdraw();
  drop(INVITATION);
  try {
    await keepToken(issued, remember.wanted());
  } catch (problem) {
    if (token()) throw problem;
    return; // this account may not come in yet, and that was told
  }
  enter();
}

/** Goes inside: somebody is signed in. */
function enter() {
  passkey.withdraw();
  // Where signing in began must not come back with "back".
  if (location.hash && location.hash !== "#settings" && !location.hash.startsWith("#room-")) history.replaceState(null, "", location.pathname + location.search);
  rooms.start();
  routeInside();
}

function passkeyFailed(problem) {
  $("passkey-error").textContent = problem.words;
}

function leave(words) {
  rooms.stop();
  push.forget().catch(() => {}); // the server has ended it with the session
  dropToken();
  history.replaceState(null, "", location.pathname + location.search);
  route();
  show("sign-in");
  tell(words);
}

const signInForm = $("sign-in").querySelector("form");
serve(signInForm, ["username", "password"], async ({ username, password }) => {
  // 202 instead of 303: a script may not see where a redirect leads.
  const credentials = { username: username.trim(), password };
  const answering = call("POST", "login", credentials, { Prefer: "respond-async" });
  const answer = await ways.orRestored(factor.orFactor(answering), credentials);
  if (!answer) return;
  signInForm.reset();
  if (answer.token) return signIn(answer.token);
  begin(answer.location, remember.wanted());
  watching = watch();
});

const signUpForm = $("sign-up").querySelector("form"); // none where sign-up is closed
if (signUpForm) serve(signUpForm, ["username", "email", "password"], async ({ username, email, password, invitation }) => {
  const body = { username: username.trim(), email: email.trim(), password, ...(invitation?.trim() && { invitation: invitation.trim() }) };
  const answer = await call("POST", "login/register", await ways.proved(signUpForm, body));
  signUpForm.reset();
  await signIn(answer.token);
});

$("passkey").hidden = !passkey.usable();
$("passkey").addEventListener("click", async () => {
  $("passkey-error").textContent = "";
  try {
    const answer = await passkey.signIn();
    if (answer) await signIn(answer.token);
  } catch (problem) {
    if (!problem.words) throw problem;
    passkeyFailed(problem);
  }
});

$("registration-continue").addEventListener("click", () => {
  watching = false;
  rooms.start();
  routeInside();
});
$("registration-again").addEventListener("click", () => {
  watching = false;
  forget();
  show("sign-in");
});

$("sign-out").addEventListener("click", async () => {
  rooms.stop();
  await endSession().catch(() => {}); // what cannot be revoked now is forgotten here, and lapses
  leave(t("session.signedOut"));
});

async function removeAccount() {
  const name = $("who").textContent;
  if (!(await confirmed(t("confirm.deleteTitle"), t("confirm.deleteBody", { name }), t("confirm.delete")))) return;
  rooms.stop(); // before the server closes the socket, which would read like a lost connection
  try {
    await call("DELETE", "login/delete");
    leave(t("confirm.deleted"));
  } catch (problem) {
    if (!token()) return; // the session has ended meanwhile, and that was said
    rooms.start();
    routeInside();
    tell(problem.words);
  }
}

document.addEventListener("session-ended", ({ detail }) => leave(detail.words));
hearOthers({
  entered: () => {
    if (watching) return;
    rooms.stop();
    enter();
  },
  left: () => leave(t("session.signedOut")),
});
window.addEventListener("hashchange", route);
for (const link of document.querySelectorAll(".languages a")) {
  link.addEventListener("click", () => { link.hash = location.hash; });
}

// A notification leads to its room in a page that is open already.
navigator.serviceWorker?.addEventListener("message", ({ data }) => { location.hash = `#room-${data.roomId}`; });

$("unscripted").hidden = true;
wireMenus();
mailbox.wire();
rooms.wire();
factor.wire(signIn);
ways.wire(signIn);
remember.wire();
settings.wire({ left: leave, remove: removeAccount });
if (token()) {
  rooms.start();
  routeInside();
} else {
  watching = watch();
  route();
  findSession().then((found) => found && !watching && enter(), () => {}); // one that another page has begun
}
