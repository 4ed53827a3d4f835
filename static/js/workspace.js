// The workspace's own helpers; every page works without them.
import { each } from "./dom.js";

// Send now or later: the time appears when it is needed, and the button says what it does.
each("form#send", (form) => {
  const button = form.querySelector("[data-send-button]");
  const now = button.textContent;
  const show = () => {
    const later = form.elements.how.value === "later";
    form.querySelector("[data-send-later]").hidden = !later;
    form.querySelector("[data-undo-note]").hidden = later;
    button.textContent = later ? button.dataset.later : now;
  };
  form.addEventListener("change", show);
  show();
});

// The parts of an audience follow the choice above them. A picked reseller moves to the list of the picked.
each("form#audience", (form) => {
  const show = () => {
    for (const part of form.querySelectorAll("[data-part]")) {
      part.hidden = !part.dataset.part.split(" ").includes(form.elements.who.value);
    }
  };
  form.addEventListener("change", (event) => {
    if (event.target.name === "organizations" && event.target.checked && event.target.closest("#resellers-found")) {
      document.getElementById("resellers-picked").append(event.target.closest("li"));
    }
    show();
  });
  form.querySelectorAll("[data-without-script]").forEach((element) => (element.hidden = true));
  show();
});
