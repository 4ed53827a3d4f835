// data-copy="text" (or data-copy-from="id") copies; data-copied holds the word shown for two seconds.
import { each } from "./dom.js";

each("[data-copy], [data-copy-from]", (button) => {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copyFrom ?? "");
    await navigator.clipboard.writeText(button.dataset.copy ?? source?.value ?? source?.textContent ?? "");
    const words = button.querySelector("[data-words]") ?? button;
    const before = words.textContent;
    words.textContent = button.dataset.copied ?? before;
    setTimeout(() => (words.textContent = before), 2000);
  });
});
