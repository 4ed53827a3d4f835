// Shared by the modules: run a function for matching elements now and in what htmx brings later.

/** Calls `start(element)` once for each element that matches `selector`, now and after each htmx swap. */
export function each(selector, start) {
  const seen = new WeakSet();
  const scan = (root) => {
    const found = root.matches?.(selector) ? [root] : [];
    for (const element of [...found, ...root.querySelectorAll(selector)]) {
      if (!seen.has(element)) {
        seen.add(element);
        start(element);
      }
    }
  };
  scan(document);
  document.addEventListener("htmx:load", (event) => scan(event.detail.elt));
}

/** Listens on the document for `type` events inside elements that match `selector`. */
export function on(type, selector, handle) {
  document.addEventListener(type, (event) => {
    const element = event.target.closest?.(selector);
    if (element) handle(event, element);
  });
}
