// .tabs[data-tabs] with links to #panel ids: shows one panel at a time. Without script all panels are simply there.
import { each } from "./dom.js";

each(".tabs[data-tabs]", (list) => {
  const tabs = [...list.querySelectorAll('a[href^="#"]')];
  const panel = (tab) => document.getElementById(tab.hash.slice(1));
  list.setAttribute("role", "tablist");
  const choose = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      panel(tab).hidden = tab !== chosen;
    }
  };
  for (const tab of tabs) {
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panel(tab).id);
    panel(tab).setAttribute("role", "tabpanel");
    tab.addEventListener("click", (event) => {
      event.preventDefault();
      choose(tab);
    });
  }
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
    choose(next);
    next.focus();
  });
  choose(tabs.find((tab) => tab.hash === window.location.hash) ?? tabs[0]);
});

// data-frame-width="device-phone" sets the class of the device frame named by data-frame.
each("[data-frame-width]", (button) => {
  button.addEventListener("click", () => {
    document.getElementById(button.dataset.frame).className = `device ${button.dataset.frameWidth}`;
    for (const other of document.querySelectorAll(`[data-frame="${button.dataset.frame}"]`)) {
      other.setAttribute("aria-pressed", String(other === button));
    }
  });
});
