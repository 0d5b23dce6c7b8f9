// The service worker: shows what is pushed while the page is closed, and leads to its room. It keeps and intercepts nothing.

self.addEventListener("push", (event) => {
  const { room, roomId, username, words, content } = event.data.json();
  event.waitUntil(self.registration.showNotification(room, {
    body: content ? `${username}: ${content}` : words,
    tag: `room-${roomId}`, // a later one of the room takes its place
    data: { roomId },
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(lead(event.notification.data.roomId));
});

async function lead(roomId) {
  const address = new URL(`#room-${roomId}`, self.registration.scope).href;
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const open = pages.find((page) => page.url.startsWith(self.registration.scope));
  if (!open) return self.clients.openWindow(address);
  open.postMessage({ roomId });
  return open.focus();
}
