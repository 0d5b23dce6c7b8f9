// Parts of the page that a first visit does without. Each is loaded when it is first needed, and fetched beforehand once somebody
// does something. Where it cannot be loaded, because the server is away or another version runs by now, the page says so and
// offers to load itself again.

import { breath, make, tell } from "./dom.js";
import { t } from "./text.js";

const SLOW_MS = 15_000; // after that long a way out is shown; what comes later is taken all the same
let ahead = false;

const offerReload = (key) => tell(t(key), { action: t("part.reload"), act: () => location.reload() });

/** A part: a function that resolves with its module, or with null once the page has said that it cannot be loaded.
 *  load(): imports it. wire(module): once, before it is used. */
export function part(load, wire = () => {}) {
  let coming = null;

  async function arrive() {
    let late = false;
    const slow = setTimeout(() => {
      late = true;
      offerReload("part.slow");
    }, SLOW_MS);
    try {
      const module = await load();
      await breath(); // evaluating it was a task of its own
      wire(module);
      if (late) tell("");
      return module;
    } catch (error) {
      console.error(error);
      coming = null;
      offerReload("part.lost");
      return null;
    } finally {
      clearTimeout(slow);
    }
  }

  return () => (coming ??= arrive());
}

/** Fetches what is likely to be needed next, once. */
export function fetchAhead() {
  if (ahead) return;
  ahead = true;
  for (const name of document.body.dataset.next.split(" ")) {
    document.head.append(make("link", { rel: "modulepreload", href: new URL(name, import.meta.url).href }));
  }
}

/** Fetches it as soon as somebody does something: who only looks loads nothing more. */
export function wire() {
  for (const kind of ["pointerdown", "focusin", "keydown"]) document.addEventListener(kind, fetchAhead, { once: true, passive: true });
}
