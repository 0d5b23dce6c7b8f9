// One post in the log: what was written, when, by whom, and what its author can do with it.

import { call, Problem } from "./api.js";
import { $, confirmed, make, tell } from "./dom.js";
import { previous } from "./groups.js";
import { rich } from "./markup.js";
import { know } from "./people.js";
import { randomKey } from "./sdk.js";
import { dayOf, now, t, timeOf, when } from "./text.js";

let roles = () => "";

/** who(name): what a name in a post is, see markup.js. */
export const wire = (who) => { roles = who; };

const fail = (problem) => {
  if (!(problem instanceof Problem)) throw problem;
  tell(problem.words);
};

/** The item of a post. */
export function postItem({ id, user, username, content, createdAt, edited }, me) {
  know(user, username);
  const date = new Date(createdAt), own = user === me.userId;
  const time = make("time", { dateTime: date.toISOString(), title: when(date) }, timeOf(date));
  const author = make("bdi", {}, username);
  const meta = make("p", { className: "meta" }, make("b", {}, author, own ? ` (${t("room.you")})` : ""), " ", time);
  const item = make("div", { id: `post-${id}`, className: own ? "post mine" : "post", role: "listitem" }, meta, make("div", { className: "content", dir: "auto" }));
  Object.assign(item.dataset, { id, day: date.toDateString(), user });
  if (own) meta.append(tools(item, id));
  write(item, content, edited);
  return item;
}

/** What a post says from now on. */
export function write(item, content, edited) {
  if (item.written === content && item.edited === edited) return;
  Object.assign(item, { written: content, edited });
  item.querySelector(".content").replaceChildren(...rich(content, roles));
  item.querySelector(".edited")?.remove();
  if (edited) item.querySelector("time").after(" ", make("span", { className: "edited", title: when(new Date(edited)) }, t("room.edited")));
}

/** The line above the first post of a day. */
export function drawDay(item) {
  let before = previous(item);
  while (before && !before.dataset.day) before = previous(before);
  const line = item.querySelector(".day"), begins = before?.dataset.day !== item.dataset.day;
  if (line && !begins) line.remove();
  else if (!line && begins) item.prepend(make("p", { className: "day" }, make("span", {}, dayOf(new Date(item.querySelector("time").dateTime)))));
}

function tools(item, id) {
  const button = (words, act) => {
    const made = make("button", { type: "button", className: "tool" }, words);
    made.setAttribute("aria-label", t("room.toolOf", { tool: words, time: item.querySelector("time").textContent }));
    made.addEventListener("click", act);
    return made;
  };
  return make("span", { className: "tools" }, button(t("room.edit"), () => edit(item)), button(t("room.delete"), () => remove(item, id)));
}

async function remove(item, id) {
  if (!(await confirmed(t("room.deleteTitle"), t("room.deleteBody"), t("room.delete")))) return;
  try {
    await call("POST", `room/delete/${id}`, undefined, { "Idempotency-Key": randomKey() });
  } catch (problem) {
    if (problem.code !== "PostNotFound") return fail(problem);
  }
  document.dispatchEvent(new CustomEvent("post-gone", { detail: id }));
  $("compose-content").focus();
}

/** Opens the editor of a post of one's own. */
export function edit(item) {
  if (item.querySelector("form")) return;
  const id = Number(item.dataset.id);
  const field = make("textarea", { value: item.written, rows: 1, ariaLabel: t("room.editLabel"), dir: "auto" });
  const error = make("p", { className: "error" });
  error.setAttribute("role", "alert");
  const cancel = make("button", { type: "button", className: "small" }, t("room.cancel"));
  const form = make("form", { className: "editing", noValidate: true }, field, error,
    make("p", { className: "buttons" }, cancel, make("button", { className: "small primary" }, t("room.save"))));
  const close = () => {
    form.remove();
    item.querySelector(".content").hidden = false;
    $("compose-content").focus();
  };
  cancel.addEventListener("click", close);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && !event.shiftKey) form.requestSubmit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    if (field.value === item.written) return close();
    form.ariaBusy = "true";
    try {
      await call("POST", `room/edit/${id}`, { content: field.value }, { "Idempotency-Key": randomKey() });
      write(item, field.value, new Date(now()).toISOString());
      close();
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      error.textContent = problem.words;
      field.focus();
    } finally {
      form.ariaBusy = "false";
    }
  });
  item.querySelector(".content").hidden = true;
  item.append(form);
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}
