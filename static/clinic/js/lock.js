/* Covers the page after a pause, and lets the same person go on; all tabs of a browser do so together. */
import { isLocked } from "./attach.js";
import { forgetUnsaved } from "./forms.js";
import { askPasskey, passkeysWork } from "./passkey.js";

const sheet = document.querySelector("[data-lock]");
const root = document.documentElement;
let lastAct = Date.now();
let lastTold = Date.now();
let lastShared = 0;
let titleBefore = "";
let focusBefore = null;
let inertBefore = [];

const tabs = sheet && "BroadcastChannel" in window ? new BroadcastChannel("chairside.session") : null;
const idleMs = sheet ? Number(sheet.dataset.idleSeconds) * 1000 : Infinity;
const tellMs = Math.min(60000, idleMs / 15);
const part = (name) => sheet.querySelector(`[data-lock-${name}]`);

function token() {
  try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch { return ""; }
}

function headers() {
  return { "HX-Request": "true", "X-CSRFToken": token() };
}

/* Every form of the page, and htmx, carries the token that holds now. */
function takeToken(csrf) {
  if (!csrf) return;
  for (const input of document.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = csrf;
  const shared = JSON.parse(document.body.getAttribute("hx-headers") || "{}");
  document.body.setAttribute("hx-headers", JSON.stringify({ ...shared, "X-CSRFToken": csrf }));
}

function showState(state) {
  for (const element of sheet.querySelectorAll("[data-lock-when]")) element.hidden = element.dataset.lockWhen !== state;
}

/* `pressed`: somebody locked on purpose, so nothing is said of a pause. */
export function cover(state = "locked", pressed = false) {
  showState(state);
  if (isLocked()) return;
  root.setAttribute("data-locked", "");
  part("idle").hidden = pressed;
  titleBefore = document.title;
  document.title = "Locked · Chairside";
  focusBefore = document.activeElement;
  for (const menu of document.querySelectorAll("[popover]:popover-open")) menu.hidePopover();
  inertBefore = [...document.body.children].filter((element) => element !== sheet && !element.inert);
  for (const element of inertBefore) element.inert = true;
  part("passkey").hidden = !passkeysWork();
  part("error").textContent = "";
  for (const input of sheet.querySelectorAll("input[name=csrfmiddlewaretoken]")) input.value = token();
  sheet.showModal();
  sheet.querySelector("#lock-password").focus();
}

function uncover(csrf) {
  takeToken(csrf);
  lastAct = lastTold = Date.now();
  if (!isLocked()) return;
  sheet.querySelector("#lock-password").value = "";
  root.removeAttribute("data-locked");
  sheet.close();
  for (const element of inertBefore) element.inert = false;
  document.title = titleBefore;
  focusBefore?.focus?.({ preventScroll: true });
  for (const element of document.querySelectorAll("[data-poll]")) element.dispatchEvent(new CustomEvent("poll-now"));
}

/* How does the session stand? Another person's page starts anew, and nothing of this one is left. */
async function look() {
  let found;
  try {
    const answer = await fetch(sheet.dataset.stateUrl, { headers: { "X-Poll": "1" }, cache: "no-store" });
    if (!answer.ok) return;
    found = await answer.json();
  } catch {
    return;
  }
  if (found.who && found.who !== sheet.dataset.who) {
    cover("out");
    forgetUnsaved();
    window.location.replace("/");
  } else if (found.state === "open") {
    uncover(found.csrf);
  } else {
    cover(found.state);
  }
}

async function send(body) {
  const error = part("error");
  error.textContent = "";
  body.set("csrfmiddlewaretoken", token());
  try {
    const answer = await fetch(part("form").action, { method: "POST", body, headers: headers(), redirect: "manual" });
    const isJson = (answer.headers.get("Content-Type") || "").startsWith("application/json");
    if (!isJson) {
      await look();
      return;
    }
    const said = await answer.json();
    if (answer.ok) {
      uncover(said.csrf);
      tabs?.postMessage({ look: true });
    } else {
      error.textContent = said.error;
      sheet.querySelector("#lock-password").select();
    }
  } catch {
    error.textContent = "The server can't be reached. Try again in a moment.";
  }
}

function acted() {
  if (isLocked()) return;
  const now = Date.now();
  lastAct = now;
  if (now - lastShared < Math.min(1000, idleMs / 8)) return;
  lastShared = now;
  tabs?.postMessage({ acted: now });
}

async function lockNow(pressed = false) {
  cover("locked", pressed);
  tabs?.postMessage({ lock: true, pressed });
  try {
    const answer = await fetch(sheet.dataset.lockUrl, { method: "POST", headers: headers(), redirect: "manual" });
    if (answer.status !== 204) await look();
  } catch { /* The server locks by its own clock. */ }
}

function tick() {
  if (isLocked()) return;
  if (Date.now() - lastAct >= idleMs) {
    lockNow();
  } else if (lastAct > lastTold && Date.now() - lastTold >= tellMs) {
    lastTold = Date.now();
    fetch(sheet.dataset.seenUrl, { method: "POST", headers: headers(), redirect: "manual" })
      .then((answer) => { if (answer.status === 401 || answer.status === 403) look(); })
      .catch(() => {});
  }
}

if (sheet) {
  for (const kind of ["pointerdown", "keydown", "input", "wheel", "touchmove"]) {
    document.addEventListener(kind, acted, { passive: true, capture: true });
  }
  setInterval(tick, Math.min(1000, idleMs / 4));
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    tick();
    look();
  });
  document.addEventListener("chairside:session-ended", look);

  /* htmx would follow the redirect and drop what was typed; the sheet keeps it. */
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status !== 401) return;
    event.preventDefault();
    look();
  });

  sheet.addEventListener("cancel", (event) => event.preventDefault());
  /* A second Esc closes a dialog whatever "cancel" says. */
  sheet.addEventListener("close", () => {
    if (isLocked()) sheet.showModal();
  });
  part("form").addEventListener("submit", (event) => {
    event.preventDefault();
    send(new FormData(event.target));
  });
  part("passkey").addEventListener("click", async () => {
    try {
      const body = new FormData();
      body.set("passkey", JSON.stringify(await askPasskey("get", part("passkey").dataset.options, token())));
      await send(body);
    } catch {
      part("error").textContent = "No passkey was shown. Try again, or type your password.";
    }
  });
  part("leave").addEventListener("submit", forgetUnsaved);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-lock-now]")) return;
    event.preventDefault();
    lockNow(true);
  });

  tabs?.addEventListener("message", (event) => {
    if (event.data.acted) lastAct = Math.max(lastAct, event.data.acted);
    if (event.data.lock) cover("locked", event.data.pressed);
    if (event.data.look) look();
    if (event.data.opened && event.data.opened !== sheet.dataset.who) look();
    else if (event.data.opened && isLocked()) look();
    else if (event.data.opened) lastAct = Date.now();
  });
  tabs?.postMessage({ opened: sheet.dataset.who });
}
