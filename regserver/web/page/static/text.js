// All words come with the page, in its language; numbers and times are worded by the browser.

const texts = JSON.parse(document.body.dataset.text);
const language = document.documentElement.lang;

/** The text of that key, with {name} replaced from values; "" when there is none. */
export function t(key, values = {}) {
  return (texts[key] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

const relative = new Intl.RelativeTimeFormat(language);
const duration = new Intl.NumberFormat(language, { style: "unit", unit: "second", unitDisplay: "short" });
const listing = new Intl.ListFormat(language);
const clock = new Intl.DateTimeFormat(language, { timeStyle: "short" });
const calendar = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });

export const inSeconds = (seconds) => relative.format(Math.max(1, Math.ceil(seconds)), "second");
export const lasting = (seconds) => duration.format(Math.max(1, Math.ceil(seconds)));
export const list = (names) => listing.format(names);

/** The time of day, with the date unless it is today. */
export function when(date) {
  return (date.toDateString() === new Date().toDateString() ? clock : calendar).format(date);
}
