// The view of one's own account. Each part is loaded when it is opened.

import { call, download, endSession, Problem } from "./api.js";
import { $, make, show, tell } from "./dom.js";
import { serve } from "./form.js";
import * as passkey from "./passkey.js";
import * as push from "./push.js";
import { t, when } from "./text.js";
import { clear, thing } from "./things.js";
import * as totp from "./totp.js";

let leave = null;

/** Shows the view, with nothing of what was shown before. */
export function open() {
  if (!$("settings").hidden) return;
  show("settings");
  for (const fold of $("settings").querySelectorAll("details[open]")) fold.open = false;
}

// --- sessions and tokens
async function loadSessions() {
  const { sessions } = await call("GET", "login/sessions");
  $("session-list").replaceChildren(...sessions.map(sessionItem));
}

function sessionItem({ sessionId, name, agent, network, lastUsedAt, expiresAt, current }) {
  const title = name ?? (browserOf(agent) || t("settings.unknownDevice"));
  const used = t("settings.used", { when: when(new Date(lastUsedAt)), network: network || "?" });
  const details = name ? `${used} ${t("settings.expires", { when: when(new Date(expiresAt)) })}` : used;
  if (current) return thing(title, `${t("settings.thisOne")} ${details}`);
  return thing(title, details, t("settings.end"), async () => {
    await call("DELETE", `login/sessions/${sessionId}`);
    await loadSessions();
  });
}

const BROWSERS = [["Edg/", "Edge"], ["OPR/", "Opera"], ["Firefox/", "Firefox"], ["Chrome/", "Chrome"], ["Safari/", "Safari"]];
const SYSTEMS = [["Android", "Android"], ["iPhone", "iPhone"], ["iPad", "iPad"], ["Windows", "Windows"], ["Mac OS", "macOS"], ["Linux", "Linux"]];

function browserOf(agent) {
  const found = (table) => table.find(([mark]) => agent.includes(mark))?.[1];
  const browser = found(BROWSERS), system = found(SYSTEMS);
  return browser && system ? `${browser} · ${system}` : agent;
}

// --- passkeys
async function loadFactors() {
  const { totp: on, recoveryCodes, passkeys } = await call("GET", "login/factors");
  totp.draw(on, recoveryCodes);
  $("passkey-list").replaceChildren(...passkeys.map(({ passkeyId, name, createdAt, lastUsedAt }) => {
    const details = lastUsedAt ? t("settings.lastUsed", { when: when(new Date(lastUsedAt)) }) : t("settings.made", { when: when(new Date(createdAt)) });
    return thing(name, details, t("settings.remove"), async () => {
      await call("DELETE", `login/passkey/${passkeyId}`);
      await loadFactors();
    });
  }));
  $("passkey-add").hidden = !passkey.usable();
  $("passkey-nowhere").hidden = passkey.usable();
}

async function loadAddress() {
  const { user } = await call("GET", "login/info");
  $("set-email-present").textContent = user.email ? t("settings.presentEmail", { email: user.email }) : "";
}

/** Loads a part as it is opened; a refusal stands in its place for errors. */
function loads(id, load) {
  $(id).addEventListener("toggle", () => {
    clear($(id));
    if ($(id).open) load().catch((problem) => complain($(id).querySelector(".error"), problem));
  });
}

function complain(place, problem) {
  if (!(problem instanceof Problem)) throw problem;
  place.textContent = problem.words;
}

/** A button whose work may be refused; the refusal stands in `place`. */
function does(id, place, work) {
  $(id).addEventListener("click", async () => {
    if ($(id).ariaBusy === "true") return;
    $(id).ariaBusy = "true";
    $(place).textContent = "";
    try {
      await work();
    } catch (problem) {
      complain($(place), problem);
    } finally {
      $(id).ariaBusy = "false";
    }
  });
}

function wireChanges() {
  const password = $("set-password").querySelector("form");
  serve(password, ["newPassword"], async ({ password: present, newPassword }) => {
    await call("POST", "login/password", { ...(present && { password: present }), newPassword });
    password.reset();
    $("set-password").open = false;
    tell(t("settings.passwordChanged"), { passing: true });
  }, { BadPassword: "newPassword" });

  const email = $("set-email").querySelector("form");
  serve(email, ["email"], async ({ password: present, email: address }) => {
    await call("POST", "login/email", { ...(present && { password: present }), email: address.trim() });
    email.reset();
    $("set-email").open = false;
    tell(t("settings.emailSent", { email: address.trim() }));
  });
}

function wireMaking() {
  const tokens = $("set-tokens").querySelector("form");
  serve(tokens, ["name"], async ({ name }) => {
    const { token } = await call("POST", "login/tokens", { name: name.trim() });
    tokens.reset();
    $("new-token-text").textContent = token;
    $("new-token").hidden = false;
  });
  const passkeys = $("set-passkeys").querySelector("form");
  serve(passkeys, [], async ({ name, password }) => {
    try {
      if (!(await passkey.add(name.trim() || t("settings.passkey"), password))) return;
    } catch (problem) {
      if (problem.code === "RecentSignInRequired") $("passkey-password").hidden = false;
      throw problem;
    }
    passkeys.reset();
    $("passkey-password").hidden = true;
    await loadFactors();
  }, { RecentSignInRequired: "password" });
}

function wireCopying() {
  for (const button of $("settings").querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
      await navigator.clipboard?.writeText($(button.dataset.copy).textContent).then(
        () => tell(t("settings.copied"), { passing: true }), () => {});
    });
  }
}

function wirePush() {
  loads("set-push", push.load);
  does("push-on", "push-error", push.on);
  does("push-off", "push-error", push.off);
  does("push-content", "push-error", push.choose);
}

/** Wires the view, once. left(words): the session is over. remove(): deletes the account. */
export function wire({ left, remove }) {
  leave = left;
  loads("set-password", async () => {});
  loads("set-email", loadAddress);
  loads("set-sessions", loadSessions);
  loads("set-tokens", async () => {});
  loads("set-passkeys", loadFactors);
  loads("set-totp", loadFactors);
  loads("set-data", async () => {});
  if ($("set-push")) wirePush();
  wireChanges();
  wireMaking();
  wireCopying();
  totp.wire({ changed: loadFactors, does });
  does("sign-out-everywhere", "session-error", async () => {
    await endSession(true);
    leave(t("session.signedOut"));
  });
  does("export", "export-error", async () => {
    const link = make("a", { href: URL.createObjectURL(await download("login/export")), download: "account" + ".json" });
    link.click();
    URL.revokeObjectURL(link.href);
  });
  $("delete-account").addEventListener("click", remove);
}
