// Watching a registration. Where it can be watched is kept in this tab, so a reload goes on watching.

import { keepToken, Problem, server } from "./api.js";
import { $, make, show } from "./dom.js";
import { drop, keep, kept } from "./kept.js";
import { inSeconds, lasting, t } from "./text.js";

const KEY = "registration";

/** Remembers a registration that has begun. */
export function begin(location) {
  keep(KEY, JSON.stringify({ location, began: Date.now() }));
}

/** Watches the remembered registration, if there is one: whether there is. */
export function watch() {
  const begun = JSON.parse(kept(KEY));
  if (!begun) return false;
  const state = (text) => { $("registration-state").textContent = text; };

  reset();
  show("registration");
  const events = server.watch(begun.location, {
    state: (now, { again, seconds }) => {
      if (now === "lost") state(t("registration.lost", { when: inSeconds(seconds) }));
      else if (again) state(t("registration.back"));
    },
  });
  follow(events, take).catch((problem) => {
    if (!(problem instanceof Problem)) throw problem;
    end(t("registration.unknown"), "registration-again");
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

async function follow(events, take) {
  for await (const event of events) take(event);
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
