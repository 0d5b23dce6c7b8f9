// A WebSocket that comes back: when it is lost it is opened again, after growing pauses, at once when the network is back.
// A browser does not notice that its connection ended while the machine slept, so after a sleep it is opened anew.

const LONGEST_PAUSE_SECONDS = 30;
const STEADY_MS = 5_000;
const LOOK_MS = 10_000;
const ASLEEP_MS = 90_000; // the timers of hidden pages run once a minute

/** Keeps a socket open until it is stopped.
 *
 *  address(): resolves with where to connect; when it rejects, that is tried again like a lost connection.
 *  opened(again), message(text), lost(seconds until the next try), closed(code): whether that was the end.
 */
export function keepOpen({ address, opened, message, lost, closed }) {
  let socket = null, timer = null, stopped = false, tries = 0, everOpened = false;

  async function connect() {
    clearTimeout(timer);
    timer = null;
    let url;
    try {
      url = await address();
      if (stopped) return;
      socket = new WebSocket(url); // throws for an address that the browser refuses
    } catch (problem) {
      return pause(problem.retryAfter);
    }
    let openedAt = Infinity;
    socket.onopen = () => {
      openedAt = Date.now();
      opened(everOpened);
      everOpened = true;
    };
    socket.onmessage = ({ data }) => stopped || message(data);
    socket.onclose = ({ code }) => {
      if (Date.now() - openedAt > STEADY_MS) tries = 0;
      if (!stopped && !closed(code)) pause();
      else clearInterval(look);
    };
  }

  function pause(atLeast = 0) {
    if (stopped) return;
    const seconds = Math.max(atLeast, Math.min(LONGEST_PAUSE_SECONDS, 2 ** tries++) * (0.75 + Math.random() / 2));
    timer = setTimeout(connect, seconds * 1000);
    lost(seconds);
  }

  function openAnew() {
    if (socket?.readyState !== WebSocket.OPEN) return;
    socket.onmessage = socket.onclose = null;
    socket.close();
    connect();
  }

  let looked = Date.now();
  const look = setInterval(() => {
    const slept = Date.now() - looked > ASLEEP_MS;
    looked = Date.now();
    if (slept) openAnew();
  }, LOOK_MS);

  const retry = () => timer !== null && connect();
  const stop = () => {
    stopped = true;
    clearTimeout(timer);
    clearInterval(look);
    socket?.close();
    window.removeEventListener("online", retry);
  };
  window.addEventListener("online", retry);
  connect();
  return { retry, stop };
}
