// The page's beginning: which view to show, signing in, and going inside and out. What else there is comes in parts, see part.js.

import { call, dropToken, endSession, findSession, hearOthers, keepToken, token } from "./api.js";
import { $, breath, confirmed, show, tell, wire as wirePage } from "./dom.js";
import { serve } from "./form.js";
import { drop, keep, kept, WATCHED } from "./kept.js";
import { fetchAhead, part, wire as wireParts } from "./part.js";
import * as passkey from "./passkey.js";
import * as remember from "./remember.js";
import { t } from "./text.js";

const INVITATION = "invitation";
const FURTHER = ["SecondFactorRequired", "UserIsDeleted"]; // refusals of a sign-in that can go on, see ways.js

const mailbox = part(() => import("./mailbox.js"), ({ wire }) => wire());
const rooms = part(() => import("./rooms.js"), ({ wire }) => wire());
const settings = part(() => import("./settings.js"), ({ wire }) => wire({ left: leave, remove: removeAccount }));
const signUp = part(() => import("./sign-up.js"), ({ wire }) => wire(signIn));
const ways = part(() => import("./ways.js"), ({ wire }) => wire(signIn));
const registration = part(() => import("./registration.js"), wireRegistration);
const OPEN_VIEWS = { "sign-up": signUp, forgot: ways, code: ways }; // to whoever is not signed in

let inside = null; // the rooms, while somebody is signed in
let watching = false; // a registration is on the screen
let turn = 0; // a newer one makes whatever still waits for a part give way

function route() {
  if (location.hash === "#main") return; // the skip link
  tell("");
  if (inside) routeInside();
  else if (!token() && !watching) routeOutside();
}

async function routeInside() {
  $("account").open = false;
  if (location.hash === "#settings") {
    const own = ++turn, account = await settings();
    if (account && own === turn) account.open();
    return;
  }
  turn += 1;
  show("rooms");
  inside.route();
}

async function routeOutside() {
  const own = ++turn;
  if (location.hash.startsWith("#invite=")) {
    keep(INVITATION, location.hash.slice("#invite=".length));
    history.replaceState(null, "", "#sign-up"); // what opens an account shall not stay in the address
  }
  const view = Object.keys(OPEN_VIEWS).find((name) => location.hash === `#${name}`) ?? "sign-in";
  if (view in OPEN_VIEWS && !(await OPEN_VIEWS[view]())) return;
  if (own !== turn) return;
  show(view);
  fillInvitation();
  if (view !== "sign-in") passkey.withdraw();
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
  await enter();
}

/** Goes inside: somebody is signed in. */
async function enter() {
  const own = ++turn;
  passkey.withdraw();
  fetchAhead();
  // Where signing in began must not come back with "back".
  if (location.hash && location.hash !== "#settings" && !location.hash.startsWith("#room-")) history.replaceState(null, "", location.pathname + location.search);
  const loaded = await rooms();
  if (!loaded || own !== turn) return;
  inside = loaded;
  inside.start();
  routeInside();
}

function leaveRooms() {
  turn += 1;
  inside?.stop();
  inside = null;
}

function leave(words) {
  leaveRooms();
  // The server has ended the subscription with the session; the browser's own shall go as well.
  if ($("set-push")) import("./push.js").then((push) => push.forget()).catch(() => {});
  dropToken();
  history.replaceState(null, "", location.pathname + location.search);
  route();
  show("sign-in");
  tell(words);
}

function passkeyFailed(problem) {
  $("passkey-error").textContent = problem.words;
}

/** The answer of a sign-in, also where the server refused it at first and wants something more; null where there is none. */
async function completed(answering, credentials) {
  try {
    return await answering;
  } catch (problem) {
    if (!FURTHER.includes(problem.code)) throw problem;
    const further = await ways();
    return further && further.instead(problem, credentials);
  }
}

const signInForm = $("sign-in").querySelector("form");
serve(signInForm, ["username", "password"], async ({ username, password }) => {
  // 202 instead of 303: a script may not see where a redirect leads.
  const credentials = { username: username.trim(), password };
  const answer = await completed(call("POST", "login", credentials, { Prefer: "respond-async" }), credentials);
  if (!answer) return;
  signInForm.reset();
  if (answer.token) return signIn(answer.token);
  const live = await registration();
  if (!live) return; // it goes on without a page, and signing in again shows it
  live.begin(answer.location, remember.wanted());
  watching = live.watch();
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

function wireRegistration({ forget }) {
  $("registration-continue").addEventListener("click", () => {
    watching = false;
    enter();
  });
  $("registration-again").addEventListener("click", () => {
    watching = false;
    forget();
    show("sign-in");
  });
}

$("sign-out").addEventListener("click", async () => {
  leaveRooms();
  await endSession().catch(() => {}); // what cannot be revoked now is forgotten here, and lapses
  leave(t("session.signedOut"));
});

async function removeAccount() {
  const name = $("who").textContent;
  if (!(await confirmed(t("confirm.deleteTitle"), t("confirm.deleteBody", { name }), t("confirm.delete")))) return;
  leaveRooms(); // before the server closes the socket, which would read like a lost connection
  try {
    await call("DELETE", "login/delete");
    leave(t("confirm.deleted"));
  } catch (problem) {
    if (!token()) return; // the session has ended meanwhile, and that was said
    await enter();
    tell(problem.words);
  }
}

document.addEventListener("session-ended", ({ detail }) => leave(detail.words));
hearOthers({
  entered: () => {
    if (watching) return;
    leaveRooms();
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

async function begin() {
  if (token()) return enter();
  if (kept(WATCHED)) {
    const live = await registration();
    if (!live || token()) return;
    watching = live.watch();
  }
  route();
  const found = await findSession().catch(() => false); // one that another page has begun
  if (found && !watching && !inside) enter();
}

$("unscripted").hidden = true;
wirePage();
wireParts();
remember.wire();
if ($("mailbox")) mailbox();
breath().then(begin); // evaluating what is above was a task of its own
