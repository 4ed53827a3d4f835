// data-guard asks before leaving changed fields; one submit per form; remaining characters; save state; file drop.
import { each, on } from "./dom.js";

const changed = new Set();

each("form[data-guard]", (form) => {
  form.addEventListener("input", () => changed.add(form));
  form.addEventListener("submit", () => changed.delete(form));
  form.addEventListener("guard:saved", () => changed.delete(form));
});

window.addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});

// The server refuses a second submit anyway; this spares the person the doubt.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  // After the form's data was collected, so that the button's own name and value are sent.
  setTimeout(() => form.querySelectorAll("button:not([type=button])").forEach((button) => (button.disabled = true)));
});

// Back from another page: the browser may show this one as it was left.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    form.querySelectorAll("button:disabled").forEach((button) => (button.disabled = false));
  }
});

each("[data-count-for]", (counter) => {
  const control = document.getElementById(counter.dataset.countFor);
  const limit = Number(control?.getAttribute("maxlength") || counter.dataset.limit);
  if (!control || !limit) return;
  const show = () => {
    const left = limit - control.value.length;
    counter.textContent = left;
    counter.toggleAttribute("data-over", left < 0);
  };
  control.addEventListener("input", show);
  show();
});

on("change", "form[data-submit-on-change]", (event, form) => form.requestSubmit());
each("form[data-submit-on-change] [data-without-script]", (button) => (button.hidden = true));

// data-save-state names what happens to an htmx form that saves itself: data-saving, data-saved, data-failed hold words.
each("[data-save-state]", (place) => {
  const form = document.getElementById(place.dataset.saveState);
  const say = (state, words) => {
    place.dataset.state = state;
    place.textContent = words;
  };
  const clock = () => new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  form?.addEventListener("htmx:beforeRequest", () => say("saving", place.dataset.saving));
  form?.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) {
      say("saved", `${place.dataset.saved} ${clock()}`);
      form.dispatchEvent(new Event("guard:saved"));
    } else {
      say("failed", place.dataset.failed);
    }
  });
});

each(".file-drop", (area) => {
  const input = area.querySelector('input[type="file"]');
  const over = (is) => (event) => {
    event.preventDefault();
    area.toggleAttribute("data-over", is);
  };
  area.addEventListener("dragover", over(true));
  area.addEventListener("dragleave", over(false));
  area.addEventListener("drop", (event) => {
    over(false)(event);
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (typing || event.metaKey || event.ctrlKey || event.altKey) return;
  const field = document.querySelector(`[data-hotkey="${CSS.escape(event.key)}"]`);
  if (field?.offsetParent) {
    event.preventDefault();
    field.focus();
  }
});
