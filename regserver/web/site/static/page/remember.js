// Whether a sign-in is for all tabs, until it ends or somebody signs out, or for this tab alone. All forms that sign in have the same answer.

const boxes = () => document.querySelectorAll("input[name=remember]");

/** What was chosen last. */
export const wanted = () => [...boxes()].every((box) => box.checked);

/** Wires the boxes, once. */
export function wire() {
  for (const box of boxes()) {
    box.addEventListener("change", () => { for (const other of boxes()) other.checked = box.checked; });
    // A form that is reset, after a sign-in or by "back", must not say something else than the others.
    box.form.addEventListener("reset", (event) => {
      const { checked } = box;
      setTimeout(() => { box.checked = box.defaultChecked = checked; });
    });
  }
}
