// The brand page: the frame shows a mail in the brand as it stands in the form, before it is saved.
const form = document.querySelector("[data-brand-form]");
const frame = document.querySelector("[data-brand-preview]");
const address = frame.src;
let waiting;

function refresh() {
  const values = new FormData(form);
  const query = new URLSearchParams();
  for (const [name, value] of values) {
    if (typeof value === "string" && name !== "csrfmiddlewaretoken") query.set(name, value);
  }
  frame.src = `${address}?${query}`;
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(refresh, 400);
});

for (const swatch of form.querySelectorAll("[data-swatch]")) {
  swatch.addEventListener("click", () => {
    form.elements.color.value = swatch.dataset.swatch;
    form.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
