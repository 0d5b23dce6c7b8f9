// Notifications of the browser while the page is open and in the background, and rooms that are muted. While no page is open
// the service worker shows what Web Push brings.

import { call } from "./api.js";
import { $ } from "./dom.js";

let muted = new Set(), open;

const mayShow = () => "Notification" in window && Notification.permission === "granted";

/** Loads which rooms are muted; nothing where the server pushes nothing. */
export async function load() {
  if ($("room-mute")) muted = new Set((await call("GET", "room/push")).muted);
}

/** Shows on the button whether the open room is muted. */
export function enter(roomId) {
  open = roomId;
  $("room-mute")?.setAttribute("aria-pressed", String(muted.has(roomId)));
}

/** Tells of somebody's post, unless the page is looked at or the room is muted. */
export async function tell({ roomId, title, body }) {
  if (!document.hidden || muted.has(roomId) || !mayShow()) return;
  const options = { body, tag: `room-${roomId}`, renotify: true, data: { roomId } };
  const worker = await navigator.serviceWorker?.getRegistration(document.baseURI);
  if (worker) return worker.showNotification(title, options); // phones show no others
  const shown = new Notification(title, options);
  shown.addEventListener("click", () => {
    window.focus();
    location.hash = `#room-${roomId}`;
    shown.close();
  });
}

/** Wires the button. failed(problem): tells what went wrong. */
export function wire(failed) {
  $("room-mute")?.addEventListener("click", async () => {
    const roomId = open, mutes = !muted.has(roomId);
    try {
      await call(mutes ? "POST" : "DELETE", `room/mute/${roomId}`);
      if (mutes) muted.add(roomId);
      else muted.delete(roomId);
      enter(open);
    } catch (problem) {
      failed(problem);
    }
  });
}
