// The vendor's screens: a part that stays current, a long checklist with a search, fields that belong to a choice.
// Everything works without this file; it only saves steps.

// --- a part that is asked for again ---------------------------------------------------------------------------------
for (const part of document.querySelectorAll("[data-live]")) {
  const refresh = async () => {
    if (document.hidden || part.contains(document.activeElement)) return;
    const open = part.querySelector("details")?.open;
    try {
      const response = await fetch(part.dataset.live, { headers: { "X-Requested-With": "XMLHttpRequest" } });
      if (!response.ok || response.redirected) return;
      part.innerHTML = await response.text();
      const details = part.querySelector("details");
      if (details) details.open = Boolean(open);
    } catch {
      // The next turn tries again; what is shown is a few seconds older.
    }
  };
  setInterval(refresh, 1000 * Number(part.dataset.liveSeconds || 10));
  document.addEventListener("visibilitychange", refresh);
}

// --- a checklist with a search --------------------------------------------------------------------------------------
for (const list of document.querySelectorAll("[data-checklist]")) {
  const lines = [...list.querySelectorAll("li[data-words]")];
  const search = list.querySelector("[data-checklist-search]");
  const count = list.querySelector("[data-checklist-count]");
  const boxes = (shown) => lines.filter((line) => !shown || !line.hidden).map((line) => line.querySelector("input"));
  const recount = () => {
    count.textContent = boxes(false).filter((box) => box.checked).length.toLocaleString();
  };
  const set = (chosen) => {
    boxes(chosen).forEach((box) => (box.checked = chosen));
    recount();
  };
  const all = list.querySelector("[data-checklist-all]");
  const none = list.querySelector("[data-checklist-none]");
  for (const tool of [search, all, none]) tool.hidden = lines.length < 2;
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const line of lines) line.hidden = !words.every((word) => line.dataset.words.includes(word));
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
  all.addEventListener("click", () => set(true));
  none.addEventListener("click", () => set(false));
  list.addEventListener("change", recount);
  recount();
}

// --- fields that belong to a choice ---------------------------------------------------------------------------------
for (const group of document.querySelectorAll("[data-whom]")) {
  const parts = group.querySelectorAll("[data-whom-is]");
  const show = () => {
    const chosen = group.querySelector("input[type=radio]:checked")?.value;
    for (const part of parts) part.hidden = part.dataset.whomIs !== chosen;
  };
  group.addEventListener("change", show);
  show();
}

// --- a second press does nothing (the server would not either) ------------------------------------------------------
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-once]")) delete form.dataset.sent;
});
