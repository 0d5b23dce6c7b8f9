// All words come with the page, in its language; numbers and times are worded by the browser.

const texts = JSON.parse(document.body.dataset.text);
const language = document.documentElement.lang;

/** The text of that key, with {name} replaced from values; "" when there is none. */
export function t(key, values = {}) {
  return (texts[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// The reader's own variety of the page's language, when there is one, says how times are written.
const locale = navigator.languages.find((tag) => tag.split("-")[0] === language) ?? language;
const relative = new Intl.RelativeTimeFormat(locale);
const duration = new Intl.NumberFormat(locale, { style: "unit", unit: "second", unitDisplay: "short" });
const listing = new Intl.ListFormat(locale);
const clock = new Intl.DateTimeFormat(locale, { timeStyle: "short" });
const weekday = new Intl.DateTimeFormat(locale, { dateStyle: "full" });
const near = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
const calendar = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

/** "in 5 seconds"; long waits in minutes or hours, rounded up. */
export function inSeconds(seconds) {
  const [unit, size] = seconds > 5400 ? ["hour", 3600] : seconds > 90 ? ["minute", 60] : ["second", 1];
  return relative.format(Math.max(1, Math.ceil(seconds / size)), unit);
}

export const lasting = (seconds) => duration.format(Math.max(1, Math.ceil(seconds)));
export const list = (names) => listing.format(names);

/** The time of day, with the date unless it is today. */
export function when(date) {
  return (date.toDateString() === new Date().toDateString() ? clock : calendar).format(date);
}

export const timeOf = (date) => clock.format(date);

/** "today", "yesterday", or the date. */
export function dayOf(date) {
  const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  const ago = Math.round((midnight(Date.now()) - midnight(date)) / 86_400_000);
  return ago === 0 || ago === 1 ? near.format(-ago, "day") : weekday.format(date);
}
