// All words come with the page, in its language; numbers and times are worded by the browser.

const texts = JSON.parse(document.body.dataset.text);
const language = document.documentElement.lang;
const SLACK_MS = 60_000; // an answer may have been under way for long

let ahead = 0; // milliseconds that the browser's clock is ahead of the server's

/** Takes the server's time, the value of a Date field: a browser whose clock is wrong shall not call today yesterday. */
export function learnTime(said) {
  const difference = Date.now() - Date.parse(said);
  if (Number.isFinite(difference)) ahead = Math.abs(difference) < SLACK_MS ? 0 : difference;
}

/** Milliseconds since 1970 by the server's clock, as far as it is known. */
export const now = () => Date.now() - ahead;

/** The text of that key, with {name} replaced from values; "" when there is none. */
export function t(key, values = {}) {
  return (texts[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// The reader's own variety of the page's language, when there is one, says how times are written.
const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
/** Makes something of Intl when it is first needed: each takes milliseconds, and a first visit needs none. */
const lazily = (Kind, options) => {
  let made;
  return () => (made ??= new Kind(locale, options));
};
const relative = lazily(Intl.RelativeTimeFormat);
const duration = lazily(Intl.NumberFormat, { style: "unit", unit: "second", unitDisplay: "short" });
const listing = lazily(Intl.ListFormat);
const clock = lazily(Intl.DateTimeFormat, { timeStyle: "short" });
const weekday = lazily(Intl.DateTimeFormat, { dateStyle: "full" });
const near = lazily(Intl.RelativeTimeFormat, { numeric: "auto" });
const calendar = lazily(Intl.DateTimeFormat, { dateStyle: "medium", timeStyle: "short" });

/** "in 5 seconds"; long waits in minutes or hours, rounded up. */
export function inSeconds(seconds) {
  const [unit, size] = seconds > 5400 ? ["hour", 3600] : seconds > 90 ? ["minute", 60] : ["second", 1];
  return relative().format(Math.max(1, Math.ceil(seconds / size)), unit);
}

export const lasting = (seconds) => duration().format(Math.max(1, Math.ceil(seconds)));
export const list = (names) => listing().format(names);

/** The time of day, with the date unless it is today. */
export function when(date) {
  return (date.toDateString() === new Date(now()).toDateString() ? clock : calendar)().format(date);
}

export const timeOf = (date) => clock().format(date);

/** "today", "yesterday", or the date. */
export function dayOf(date) {
  const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  const ago = Math.round((midnight(now()) - midnight(date)) / 86_400_000);
  return ago === 0 || ago === 1 ? near().format(-ago, "day") : weekday().format(date);
}
