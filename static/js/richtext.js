// textarea[data-rich-text="bold italic link ul ol"] becomes a small editor; the textarea keeps the value and its events.
// The toolbar's words and buttons come from <template id="rich-toolbar">. Without script the textarea is simply there.
import { each } from "./dom.js";

const COMMANDS = { bold: "bold", italic: "italic", ul: "insertUnorderedList", ol: "insertOrderedList" };
const KEPT = { B: "b", STRONG: "b", I: "i", EM: "i", A: "a", UL: "ul", OL: "ol", LI: "li", P: "p", DIV: "p", H3: "h3", H4: "h4", BR: "br" };

/** The editor's content as the markup that is stored: known tags only, links with their addresses. */
function markup(root) {
  let html = "";
  for (const node of root.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) html += escape(node.textContent);
    else if (node.nodeType === Node.ELEMENT_NODE) {
      const tag = KEPT[node.tagName];
      if (tag === "br") html += "<br>";
      else if (tag === "a") html += `<a${attributes(node)}>${markup(node)}</a>`;
      else if (tag) html += `<${tag}>${markup(node)}</${tag}>`;
      else html += markup(node);
    }
  }
  return html;
}

function attributes(link) {
  return ["linktype", "id", "href"]
    .filter((name) => link.hasAttribute(name))
    .map((name) => ` ${name}="${escape(link.getAttribute(name))}"`)
    .join("");
}

function escape(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;").replace(/\u00a0/g, " ");
}

each("textarea[data-rich-text]", (area) => {
  const features = area.dataset.richText.split(" ");
  const toolbar = document.getElementById("rich-toolbar").content.firstElementChild.cloneNode(true);
  const editor = document.createElement("div");
  const frame = document.createElement("div");
  frame.className = "rich";
  editor.className = "rich-text article";
  editor.contentEditable = "true";
  editor.setAttribute("role", "textbox");
  editor.setAttribute("aria-multiline", "true");
  editor.setAttribute("aria-labelledby", area.closest("section").getAttribute("aria-labelledby"));
  // The server's own answer, cleaned by allow-list before it got here.
  editor.innerHTML = area.value || "<p><br></p>";
  area.hidden = true;
  area.after(frame);
  frame.append(toolbar, editor);
  document.execCommand("defaultParagraphSeparator", false, "p");

  const counter = area.closest(".field").querySelector("[data-rich-count]");
  const limit = Number(area.dataset.limit);
  const count = () => {
    if (!counter || !limit) return;
    const left = limit - editor.innerText.replace(/\s+/g, " ").trim().length;
    counter.textContent = left;
    counter.toggleAttribute("data-over", left < 0);
  };
  const store = () => {
    const html = editor.innerText.trim() ? markup(editor) : "";
    count();
    if (html === area.value) return;
    area.value = html;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const show = () => {
    for (const [feature, command] of Object.entries(COMMANDS)) {
      toolbar.querySelector(`[data-format="${feature}"]`)?.setAttribute("aria-pressed", document.queryCommandState(command));
    }
  };

  const linkRow = toolbar.querySelector("[data-link-row]");
  const address = linkRow.querySelector("input");
  let range = null;
  const openLink = () => {
    const selection = document.getSelection();
    if (!selection.rangeCount || !editor.contains(selection.anchorNode)) return;
    range = selection.getRangeAt(0).cloneRange();
    address.value = selection.anchorNode.parentElement.closest("a")?.getAttribute("href") ?? "";
    linkRow.hidden = false;
    address.focus();
  };
  const applyLink = (href) => {
    const selection = document.getSelection();
    editor.focus();
    selection.removeAllRanges();
    selection.addRange(range);
    const link = selection.anchorNode.parentElement.closest("a");
    if (link && selection.isCollapsed) selection.selectAllChildren(link);
    if (!href) document.execCommand("unlink");
    else if (selection.isCollapsed) document.execCommand("insertHTML", false, `<a href="${escape(href)}">${escape(href)}</a>`);
    else document.execCommand("createLink", false, href);
    linkRow.hidden = true;
    store();
  };
  const complete = (typed) => (/^[a-z]+:/i.test(typed) ? typed : typed.includes("@") ? `mailto:${typed}` : `https://${typed}`);

  for (const button of toolbar.querySelectorAll("[data-format]")) {
    if (!features.includes(button.dataset.format)) button.remove();
    // Keep the selection: a button that takes the focus would lose it.
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", () => {
      if (button.dataset.format === "link") return openLink();
      editor.focus();
      document.execCommand(COMMANDS[button.dataset.format]);
      show();
      store();
    });
  }
  linkRow.querySelector("[data-link-apply]").addEventListener("click", () => applyLink(address.value.trim() && complete(address.value.trim())));
  linkRow.querySelector("[data-link-remove]").addEventListener("click", () => applyLink(""));
  linkRow.addEventListener("keydown", (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      applyLink(address.value.trim() && complete(address.value.trim()));
    } else if (event.key === "Escape") {
      linkRow.hidden = true;
      editor.focus();
    }
  });
  // What is typed as an address is not a value of the form.
  address.addEventListener("input", (event) => event.stopPropagation());

  editor.addEventListener("input", store);
  editor.addEventListener("keyup", show);
  editor.addEventListener("mouseup", show);
  editor.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && features.includes("link")) {
      event.preventDefault();
      openLink();
    }
  });
  // Only words come in: other programs' formatting is neither the brand's nor safe.
  editor.addEventListener("paste", (event) => {
    event.preventDefault();
    document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
  });
  editor.addEventListener("drop", (event) => event.preventDefault());
  count();
});
