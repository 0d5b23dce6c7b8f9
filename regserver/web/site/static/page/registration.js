// Watching a registration. Where it can be watched is kept in this tab, so a reload goes on watching; the server tells
// the whole story again to every new socket, and what was already shown is skipped.

import { keepToken, socketAddress } from "./api.js";
import { $, make, show } from "./dom.js";
import { drop, keep, kept } from "./kept.js";
import { keepOpen } from "./socket.js";
import { inSeconds, lasting, t } from "./text.js";

const KEY = "registration";
const FINISHED = 1000, UNKNOWN = 1008;

/** Remembers a registration that has begun. */
export function begin(location) {
  keep(KEY, JSON.stringify({ location, began: Date.now() }));
}

/** Watches the remembered registration, if there is one: whether there is. */
export function watch() {
  const begun = JSON.parse(kept(KEY));
  if (!begun) return false;
  let shown = 0, heard = 0, over = false;
  const state = (text) => { $("registration-state").textContent = text; };

  reset();
  show("registration");
  // Built from the page's own address: behind a proxy the server may not know by which scheme and name it is reached.
  const address = socketAddress(`register/${begun.location.split("/").pop()}?eta=1`);
  keepOpen({
    address: async () => address,
    opened: (again) => {
      heard = 0;
      if (again) state(t("registration.back"));
    },
    message: (data) => {
      heard += 1;
      if (heard <= shown) return;
      shown = heard;
      take(JSON.parse(data));
    },
    lost: (seconds) => state(t("registration.lost", { when: inSeconds(seconds) })),
    closed: (code) => {
      if (code === UNKNOWN && !over) end(t("registration.unknown"), "registration-again");
      return over || code === FINISHED;
    },
  });
  return true;

  function take(event) {
    const { eventType, message, additionalData } = event;
    const item = make("li", { className: eventType.toLowerCase() }, message);
    $("registration-log").append(item);
    item.scrollIntoView({ block: "nearest" });
    showProgress(event, begun.began);
    if (eventType === "NAME") {
      const { firstName, middleName, lastName } = additionalData;
      const name = [firstName, middleName, lastName].filter(Boolean).join(" ");
      $("registration-name").textContent = t("registration.name", { name });
      $("registration").dataset.named = "yes";
    } else if (eventType === "AUTHENTICATION") {
      keepToken(additionalData.token);
      end(t("registration.done"), "registration-continue");
    } else if (eventType === "FAILURE") {
      end(t("registration.failed"), "registration-again");
    }
  }

  function end(text, button) {
    over = true;
    drop(KEY);
    $("registration").dataset.state = "over";
    state(text);
    $("registration-left").textContent = "";
    $(button).hidden = false;
    $(button).focus();
    const bar = $("registration-progress");
    if (button === "registration-continue") bar.value = bar.max;
    else bar.value = bar.position < 0 ? 0 : bar.value;
  }
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
  const pace = (Date.now() - began) / 1000 / step;
  const left = etaSeconds ?? (known && step > 1 ? pace * (totalSteps - step) : 0);
  $("registration-left").textContent = left > 0 ? t("registration.left", { time: lasting(left) }) : "";
}
