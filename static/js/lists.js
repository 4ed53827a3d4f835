// data-select-form: checkboxes .row-select, .select-all and a [data-bulk-bar] with [data-bulk-count].
// data-chooser-filter="id": typing hides the items of that list that do not contain the words.
import { each } from "./dom.js";

each("form[data-select-form]", (form) => {
  const bar = form.querySelector("[data-bulk-bar]");
  const all = form.querySelector(".select-all");
  const rows = () => [...form.querySelectorAll(".row-select")];
  const show = () => {
    const chosen = rows().filter((box) => box.checked).length;
    if (bar) bar.hidden = chosen === 0;
    form.querySelectorAll("[data-bulk-count]").forEach((place) => (place.textContent = chosen));
    if (all) {
      all.checked = chosen > 0 && chosen === rows().length;
      all.indeterminate = chosen > 0 && !all.checked;
    }
  };
  form.addEventListener("change", (event) => {
    if (event.target === all) rows().forEach((box) => (box.checked = all.checked));
    show();
  });
  show();
});

each("input[data-chooser-filter]", (input) => {
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of document.getElementById(input.dataset.chooserFilter).children) {
      const text = item.textContent.toLowerCase();
      item.hidden = !words.every((word) => text.includes(word));
    }
  });
});
