// The adapt editor: each zone saves itself, the preview follows, and a colleague's work is never overwritten.
import "./richtext.js";
import { on } from "./dom.js";

const form = document.getElementById("zones");
const saveState = document.getElementById("save-state");
const frame = document.getElementById("preview-frame");
const WAIT = 800; // ms after the last key
const AGAIN = 5000; // ms after a failed attempt

const zones = new Map();
form.querySelectorAll("[data-without-script]").forEach((element) => (element.hidden = true));

function say(state, words) {
  saveState.dataset.state = state;
  saveState.textContent = words;
}

function zoneOf(section) {
  if (!zones.has(section)) zones.set(section, { section, dirty: false, busy: false, blocked: false, timer: null });
  return zones.get(section);
}

function schedule(zone, wait = WAIT) {
  clearTimeout(zone.timer);
  zone.timer = setTimeout(() => save(zone), wait);
}

async function save(zone) {
  if (zone.busy || !zone.dirty || zone.blocked) return;
  zone.busy = true;
  zone.dirty = false;
  say("saving", saveState.dataset.saving);
  const { section } = zone;
  const data = new FormData();
  for (const field of section.querySelectorAll("input[name], textarea[name], select[name]")) {
    if (field.type !== "checkbox" || field.checked) data.append(field.name, field.value);
  }
  data.append("zone", section.dataset.zone);
  data.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  try {
    const answer = await fetch(form.dataset.saveUrl, { method: "POST", body: data, headers: { Accept: "application/json" } });
    show(zone, answer.status, await answer.json());
  } catch {
    zone.dirty = true;
    say("failed", saveState.dataset.failed);
    schedule(zone, AGAIN);
  } finally {
    zone.busy = false;
    if (zone.dirty) schedule(zone);
  }
}

function show(zone, status, answer) {
  const { section } = zone;
  const error = section.querySelector("[data-error]");
  error.hidden = status === 200 || status === 409;
  error.textContent = answer.error;
  section.querySelector("[data-stale]").innerHTML = answer.stale ?? "";
  zone.blocked = status === 409;
  if (answer.bar) document.getElementById("adapt-todo").innerHTML = answer.bar;
  if (answer.marks) section.querySelector("[data-marks]").innerHTML = answer.marks;
  if (status !== 200) {
    say("failed", answer.error);
    return;
  }
  section.querySelector("input[name$='-version']").value = answer.version;
  section.classList.toggle("zone-changed", answer.is_own || answer.is_dropped);
  section.classList.toggle("zone-dropped", answer.is_dropped);
  say("saved", answer.saved);
  refresh();
}

form.addEventListener("input", (event) => {
  const section = event.target.closest("[data-zone]");
  if (!section || !event.target.name) return;
  const zone = zoneOf(section);
  zone.dirty = true;
  if (event.target.name.endsWith("-dropped")) section.classList.toggle("zone-dropped", event.target.checked);
  schedule(zone, event.target.type === "checkbox" ? 0 : WAIT);
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  zones.forEach((zone) => schedule(zone, 0));
});

on("click", "[data-overwrite]", (event, button) => {
  event.preventDefault();
  const section = button.closest("[data-zone]");
  const zone = zoneOf(section);
  section.querySelector("input[name$='-version']").value = button.dataset.overwrite;
  section.querySelector("[data-stale]").innerHTML = "";
  zone.blocked = false;
  zone.dirty = true;
  schedule(zone, 0);
});

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    zones.forEach((zone) => schedule(zone, 0));
  }
});

window.addEventListener("beforeunload", (event) => {
  if ([...zones.values()].some((zone) => zone.dirty || zone.busy)) event.preventDefault();
});

// Leaving the page in a hurry should not lose the last words.
document.addEventListener("visibilitychange", () => {
  if (document.hidden) zones.forEach((zone) => zone.dirty && schedule(zone, 0));
});

// --- preview ---
let timer = null;
let base = frame.getAttribute("src").split("?")[0];
const reader = document.querySelector("[data-preview-as]");

function refresh() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    const at = frame.contentWindow?.scrollY ?? 0;
    const query = new URLSearchParams({ language: frame.dataset.language, as: reader?.value ?? "" });
    frame.addEventListener("load", () => frame.contentWindow?.scrollTo(0, at), { once: true });
    frame.contentWindow.location.replace(`${base}?${query}`);
  }, 150);
}

on("click", "[data-preview-view]", (event, tab) => {
  event.preventDefault();
  base = tab.dataset.previewView;
  for (const other of document.querySelectorAll("[data-preview-view]")) other.removeAttribute("aria-current");
  tab.setAttribute("aria-current", "true");
  refresh();
});

reader?.addEventListener("change", refresh);
