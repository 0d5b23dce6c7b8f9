// Names to choose from below a field while one writes: by arrow keys and Enter, or by a click.

import { make } from "./dom.js";

const MOST = 8;

/** The last of several names separated by commas, where the caret is at its end. */
export function lastName({ value, selectionStart, selectionEnd }) {
  if (selectionStart !== value.length || selectionEnd !== value.length) return null;
  const { 0: text, index } = /[^,;\s][^,;]*$/.exec(value) ?? { 0: "" };
  return text ? { from: index, text } : null;
}

/** Offers names in a field. part(field): {from, text} of what is being written, or null. find(text): resolves with names.
 *  place(name): what is put there. list: the element that shows them. Returns close(). */
export function complete(field, list, { part, find, place }) {
  let shown = [], active = -1, asked = 0;
  list.setAttribute("role", "listbox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);

  const close = () => {
    asked += 1;
    shown = [];
    list.hidden = true;
    list.replaceChildren();
    field.removeAttribute("aria-activedescendant");
  };

  function mark(index) {
    active = (index + shown.length) % shown.length;
    [...list.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === active)));
    field.setAttribute("aria-activedescendant", list.children[active].id);
    list.children[active].scrollIntoView({ block: "nearest" });
  }

  function choose(name) {
    const written = part(field);
    if (written) field.setRangeText(place(name), written.from, field.selectionEnd, "end");
    close();
    field.focus();
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    close();
  }

  async function look() {
    const written = part(field), turn = ++asked;
    if (!written) return close();
    const found = (await find(written.text)).slice(0, MOST);
    if (turn !== asked) return;
    if (found.length === 0) return close();
    shown = found;
    list.replaceChildren(...found.map((name, number) => {
      const item = make("li", { id: `${list.id}-${number}`, dir: "auto" }, name);
      item.setAttribute("role", "option");
      item.addEventListener("mousedown", (event) => {
        event.preventDefault(); // the field keeps the focus
        choose(name);
      });
      return item;
    }));
    list.hidden = false;
    mark(0);
  }

  field.addEventListener("input", () => look().catch(close));
  field.addEventListener("blur", close);
  field.addEventListener("keydown", (event) => {
    if (shown.length === 0 || event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark(active + step);
    else if (event.key === "Enter" || event.key === "Tab") choose(shown[active]);
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation(); // else Enter would send
  });
  return close;
}
