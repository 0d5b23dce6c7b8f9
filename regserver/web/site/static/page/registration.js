// Watching a registration. Where it can be watched is kept in this tab, so a reload goes on watching. Whatever happens, there is a way
// out: the registration itself needs nobody who watches, and signing in again shows it again.

import { keepToken, Problem, server } from "./api.js";
import { $, make, show } from "./dom.js";
import { drop, keep, kept, WATCHED } from "./kept.js";
import { inSeconds, lasting, t } from "./text.js";

const TRIES = 2; // of sockets that never open, before a stream is tried: some proxies pass no WebSocket on
const QUIET_MS = 20_000; // after that long without a word a way out is shown: a link may stall without being lost
const MOST_LEFT = 3600; // seconds; whoever's clock was set meanwhile is told nothing wrong
let stopWatching = () => {};

/** Remembers a registration that has begun. everywhere: see keepToken. */
export function begin(location, everywhere) {
  keep(WATCHED, JSON.stringify({ location, everywhere, began: Date.now() }));
}

/** What is remembered, or null. */
function remembered() {
  try {
    const begun = JSON.parse(kept(WATCHED));
    return typeof begun?.location === "string" ? begun : null;
  } catch {
    return null;
  }
}

/** Watches the remembered registration, if there is one: whether there is. */
export function watch() {
  const begun = remembered();
  if (!begun) return false;
  const state = (text) => { $("registration-state").textContent = text; };
  let tries = 0, shown = 0, over = false, source = null, quiet = 0;

  reset();
  heard();
  show("registration");
  const events = server.watch(begun.location, {
    state: (now, { again, seconds }) => {
      heard();
      if (now === "live") {
        tries = -Infinity;
        $("registration-again").hidden = true;
        if (again) state(t("registration.back"));
      }
      if (now !== "lost" || over) return;
      tries += 1;
      if (tries >= TRIES) return stream();
      state(t("registration.lost", { when: inSeconds(seconds) }));
      $("registration-again").hidden = false;
    },
  });
  follow(events, take).catch(failed);
  stopWatching = () => {
    over = true;
    clearTimeout(quiet);
    events.stop();
    source?.close();
  };
  return true;

  function failed(problem) {
    if (over) return;
    const known = problem instanceof Problem;
    end(t(known ? "registration.unknown" : "registration.broken"), "registration-again");
    if (!known) throw problem;
  }

  /** Something has come, and the silence begins anew. */
  function heard() {
    clearTimeout(quiet);
    if (over) return;
    if ($("registration").dataset.state === "quiet") {
      $("registration").dataset.state = "running";
      $("registration-again").hidden = true;
      state("");
    }
    quiet = setTimeout(() => {
      if ($("registration-again").hidden === false) return; // the loss of the connection was told
      $("registration").dataset.state = "quiet";
      $("registration-left").textContent = "";
      $("registration-again").hidden = false;
      state(t("registration.quiet"));
    }, QUIET_MS);
  }

  /** Watches by Server-Sent Events instead. */
  function stream() {
    events.stop();
    source = new EventSource(server.streamAddress(begun.location));
    source.onopen = () => state("");
    source.onmessage = ({ data, lastEventId }) => {
      if (Number(lastEventId) <= shown) return;
      take(JSON.parse(data)).catch(failed);
      if (over) source.close();
    };
    source.onerror = () => {
      if (over) source.close();
      else if (source.readyState === EventSource.CLOSED) failed(new Problem("RegistrationUnknown"));
    };
  }

  async function take(event) {
    const { eventType, message, additionalData } = event;
    shown += 1;
    heard();
    const item = make("li", { className: eventType.toLowerCase(), dir: "auto" }, message);
    $("registration-log").append(item);
    item.scrollIntoView({ block: "nearest" });
    showProgress(event, begun.began);
    if (eventType === "NAME") {
      const { firstName, middleName, lastName } = additionalData;
      const name = [firstName, middleName, lastName].filter(Boolean).join(" ");
      $("registration-name").textContent = t("registration.name", { name });
      $("registration").dataset.named = "yes";
    } else if (eventType === "AUTHENTICATION") {
      over = true;
      await keepToken(additionalData.token, begun.everywhere ?? true);
      end(t("registration.done"), "registration-continue");
    } else if (eventType === "FAILURE") {
      end(t("registration.failed"), "registration-again");
    }
  }

  function end(text, button) {
    over = true;
    clearTimeout(quiet);
    drop(WATCHED);
    $("registration").dataset.state = "over";
    state(text);
    $("registration-left").textContent = "";
    $("registration-again").hidden = $("registration-continue").hidden = true;
    $(button).hidden = false;
    $(button).focus();
    const bar = $("registration-progress");
    if (button === "registration-continue") bar.value = bar.max;
    else bar.value = bar.position < 0 ? 0 : bar.value;
  }
}

/** Stops watching; whoever signs in again sees it again. */
export function forget() {
  stopWatching();
  drop(WATCHED);
}

async function follow(events, take) {
  for await (const event of events) await take(event);
}

function reset() {
  $("registration-log").replaceChildren();
  $("registration-progress").removeAttribute("value");
  $("registration-step").textContent = t("registration.waiting");
  $("registration-name").textContent = t("registration.patience");
  $("registration-left").textContent = $("registration-state").textContent = "";
  Object.assign($("registration").dataset, { state: "running", named: "no" });
  $("registration-continue").hidden = $("registration-again").hidden = true;
}

/** Without a total the bar moves to and fro. What the server says of the time left counts; else the pace so far does. */
function showProgress({ step, totalSteps, etaSeconds }, began) {
  const known = totalSteps > 0;
  const bar = $("registration-progress");
  if (known) Object.assign(bar, { max: totalSteps, value: step });
  else bar.removeAttribute("value");
  $("registration-step").textContent = t(known ? "registration.stepOf" : "registration.step", { step, total: totalSteps });
  const pace = Math.max(0, Date.now() - began) / 1000 / step;
  const left = etaSeconds ?? (known && step > 1 ? pace * (totalSteps - step) : 0);
  $("registration-left").textContent = left > 0 && left < MOST_LEFT ? t("registration.left", { time: lasting(left) }) : "";
}
