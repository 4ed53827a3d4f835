// data-dialog="id" opens a native <dialog>; data-dialog-close closes it; data-menu closes its <details>; messages go.
import { each, on } from "./dom.js";

on("click", "[data-dialog]", (event, button) => {
  const dialog = document.getElementById(button.dataset.dialog);
  if (!dialog) return;
  event.preventDefault();
  dialog.showModal();
});

on("click", "[data-dialog-close]", (event, button) => button.closest("dialog")?.close());

// A click on the backdrop is a click on the dialog itself.
on("click", "dialog", (event, dialog) => {
  if (event.target === dialog && !dialog.querySelector("[data-guard]")) dialog.close();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

each("[data-dismiss]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => button.parentElement.remove());
});

each("[data-focus]", (element) => element.focus());
