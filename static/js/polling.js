// Where htmx is missing, a page that shows progress (data-poll-seconds) reloads itself while it is visible.
import { each } from "./dom.js";

each("[data-poll-seconds]", (element) => {
  if (window.htmx) return;
  const timer = setInterval(() => {
    if (!element.isConnected) clearInterval(timer);
    else if (!document.hidden) window.location.reload();
  }, 1000 * Number(element.dataset.pollSeconds));
});
