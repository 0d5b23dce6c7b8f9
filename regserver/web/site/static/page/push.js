// Web Push: whether this browser tells of the rooms while the page is closed.

import { call, Problem } from "./api.js";
import { $ } from "./dom.js";
import { drop, keep, kept } from "./kept.js";
import { t } from "./text.js";

const WORKER = new URL("push.worker.js", document.baseURI).href;
const SHOWS = "pushShowsContent";
let id = null;
let policy; // its name may be used once only

const usable = () => isSecureContext && "serviceWorker" in navigator && "PushManager" in window;

function scriptAddress() {
  policy ??= window.trustedTypes?.createPolicy("push", { createScriptURL: () => WORKER });
  return policy ? policy.createScriptURL(WORKER) : WORKER;
}

async function subscription() {
  const worker = await navigator.serviceWorker.getRegistration(document.baseURI);
  return (await worker?.pushManager.getSubscription()) ?? null;
}

async function told(subscribed) {
  id = (await call("POST", "room/push", { ...subscribed.toJSON(), showsContent: kept(SHOWS) !== null })).subscriptionId;
}

function draw(on) {
  $("push-on").hidden = on || !usable();
  $("push-off").hidden = !on;
  $("push-content").checked = kept(SHOWS) !== null;
  $("push-state").textContent = t(!usable() ? "settings.pushNowhere" : on ? "settings.pushOn" : "settings.pushOff");
}

/** Shows whether it is on. */
export async function load() {
  draw(usable() && (await subscription()) !== null);
}

export async function on() {
  if ((await Notification.requestPermission()) !== "granted") throw new Problem("PushDenied");
  await navigator.serviceWorker.register(scriptAddress());
  const { publicKey } = await call("GET", "room/push/key");
  let subscribed;
  try {
    const worker = await navigator.serviceWorker.ready;
    subscribed = await worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey });
  } catch {
    throw new Problem("PushUnavailable"); // the browser's push service cannot be reached
  }
  await told(subscribed);
  draw(true);
}

export async function off() {
  const subscribed = await subscription();
  if (subscribed) {
    if (id === null) await told(subscribed); // to learn its number
    await subscribed.unsubscribe();
    await call("DELETE", `room/push/${id}`);
  }
  id = null;
  draw(false);
}

/** Whether notifications have the posts in them, from now on. */
export async function choose() {
  if ($("push-content").checked) keep(SHOWS, "1");
  else drop(SHOWS);
  const subscribed = usable() ? await subscription() : null;
  if (subscribed) await told(subscribed);
}

/** The session is over: what the browser has ends with it. */
export async function forget() {
  id = null;
  if (usable()) await (await subscription())?.unsubscribe();
}
