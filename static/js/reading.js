// data-read-after="10" on a form: posts it once the person has really had the page in view for that many seconds.
import { each } from "./dom.js";

each("form[data-read-after]", (form) => {
  let left = Number(form.dataset.readAfter);
  const timer = setInterval(async () => {
    if (document.hidden || --left > 0) return;
    clearInterval(timer);
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form), redirect: "manual" });
    if (answer.ok || answer.type === "opaqueredirect") form.dispatchEvent(new Event("reading:done", { bubbles: true }));
  }, 1000);
});
