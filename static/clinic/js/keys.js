/* Keys. An element with data-key="n" or data-key="g t" is pressed by that key; a field, or one with data-key-focus, focused.
   data-keys-also="c=Check in;s=Seat" only lists, in the help, keys that a script of the page takes itself. */
import { attach, remember, remembered } from "./attach.js";

const SEQUENCE_MS = 1200;
let waiting = "";
let waitingTimer = 0;

const fixed = [
  ["?", "All keys of this page"],
  ["j", "Next row"],
  ["k", "Previous row"],
  ["Enter", "Open the row"],
  ["Ctrl+Enter", "Save the form"],
  ["Esc", "Back out"],
];

export const isTyping = (element) =>
  element instanceof Element &&
  element.matches("input:not([type=checkbox], [type=radio], [type=button], [type=submit], [type=file]), textarea, select, [contenteditable=''], [contenteditable=true]");

const isShown = (element) => element.checkVisibility?.({ visibilityProperty: true }) ?? true;
const on = () => remembered("keys") !== "off";

/* An open dialog hides the rest of the page from keys, as it does from the pointer. */
function scope() {
  const open = [...document.querySelectorAll("dialog[open]")];
  return open[open.length - 1] || document;
}

function bound(within = scope()) {
  return [...within.querySelectorAll("[data-key]")].filter(
    (element) => !element.disabled && element.getAttribute("aria-disabled") !== "true" &&
      (isShown(element) || element.closest("[popover]")));
}

function press(element) {
  if (isTyping(element) || "keyFocus" in element.dataset) {
    element.focus({ focusVisible: true });
    element.select?.();
  } else {
    element.click();
  }
}

function forget() {
  waiting = "";
  clearTimeout(waitingTimer);
}

function nameOf(element) {
  return element.dataset.keyName || element.getAttribute("aria-label") ||
    [...element.childNodes].filter((node) => node.nodeName !== "KBD").map((node) => node.textContent).join(" ").trim();
}

export function showKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog || dialog.open) return;
  const rows = [];
  const known = new Set();
  for (const element of bound(document)) {
    if (known.has(element.dataset.key)) continue;
    known.add(element.dataset.key);
    rows.push([element.dataset.key, nameOf(element)]);
  }
  for (const element of document.querySelectorAll("[data-keys-also]")) {
    for (const line of element.dataset.keysAlso.split(";")) {
      const [key, name] = line.split("=");
      if (name && !known.has(key.trim())) rows.push([key.trim(), name.trim()]);
    }
  }
  const hasList = Boolean(document.querySelector("[data-list]"));
  for (const [key, name] of fixed) {
    if (!hasList && ["j", "k", "Enter"].includes(key)) continue;
    rows.push([key, name]);
  }
  const list = document.createElement("dl");
  list.className = "keys-list";
  for (const [key, name] of rows) {
    const row = list.appendChild(document.createElement("div"));
    row.appendChild(document.createElement("dt")).textContent = name;
    const value = row.appendChild(document.createElement("dd"));
    for (const part of key.split(" ")) value.appendChild(document.createElement("kbd")).textContent = part;
  }
  dialog.querySelector("[data-keys-list]").replaceChildren(list);
  dialog.showModal();
}

/* j and k walk the links of the list one is in, or of the first on the page. */
function walk(step) {
  const list = document.activeElement?.closest("[data-list]") || scope().querySelector("[data-list]");
  if (!list) return false;
  const rows = [...list.children].filter((row) => isShown(row) && row.querySelector("a[href], button"));
  if (!rows.length) return false;
  const here = rows.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, here + step));
  const target = rows[next].querySelector("a[href]") || rows[next].querySelector("button");
  target.focus({ focusVisible: true });
  rows[next].scrollIntoView({ block: "nearest" });
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest?.("form");
    if (form) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[type=submit]:not([disabled])"));
    }
    return;
  }
  if (event.key === "Escape") {
    forget();
    if (isTyping(event.target) && !event.target.closest("dialog")) event.target.blur();
    return;
  }
  if (!on() || event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
  if (isTyping(event.target) || event.target.closest?.("[data-keys-own]")) return;

  const typed = waiting ? `${waiting} ${event.key}` : event.key;
  forget();
  if (typed === "?") {
    event.preventDefault();
    showKeys();
    return;
  }
  const elements = bound();
  const match = elements.find((element) => element.dataset.key === typed);
  if (match) {
    event.preventDefault();
    press(match);
    return;
  }
  if (elements.some((element) => element.dataset.key.startsWith(`${typed} `))) {
    waiting = typed;
    waitingTimer = setTimeout(forget, SEQUENCE_MS);
    return;
  }
  if ((typed === "j" || typed === "k") && walk(typed === "j" ? 1 : -1)) event.preventDefault();
});

attach("[data-keys-switch]", (button) => {
  const show = () => {
    button.setAttribute("aria-checked", String(on()));
    button.querySelector("[data-switch-word]").textContent = on() ? "On" : "Off";
    document.documentElement.classList.toggle("keys-off", !on());
  };
  show();
  button.addEventListener("click", () => {
    remember("keys", on() ? "off" : null);
    show();
  });
});
