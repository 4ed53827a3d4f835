// data-until="ISO time": counts the seconds left in [data-seconds] and hides the element, or follows data-then, at zero.
import { each } from "./dom.js";

each("[data-until]", (element) => {
  const until = Date.parse(element.dataset.until);
  const place = element.querySelector("[data-seconds]");
  const tick = () => {
    const left = Math.ceil((until - Date.now()) / 1000);
    if (place) place.textContent = Math.max(left, 0);
    if (left > 0) return;
    clearInterval(timer);
    if (element.dataset.then) window.location.assign(element.dataset.then);
    else element.hidden = true;
  };
  const timer = setInterval(tick, 250);
  tick();
});
