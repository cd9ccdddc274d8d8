/* Toasts: those the server wrote, those of HX-Trigger {"toast": {"text", "tone"}}, and failed requests. */
import { attach } from "./attach.js";

const STAY_MS = 6000;

attach("[data-toast]", (toast) => {
  toast.querySelector("[data-toast-close]")?.addEventListener("click", () => toast.remove());
  if (["red", "amber"].includes(toast.dataset.toast)) return;
  let timer = 0;
  const leave = () => { timer = setTimeout(() => toast.remove(), STAY_MS); };
  const wait = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", wait);
  toast.addEventListener("pointerleave", leave);
  toast.addEventListener("focusin", wait);
  toast.addEventListener("focusout", leave);
  leave();
});

export function showToast(text, tone = "grey") {
  const holder = document.getElementById("toasts");
  if (!holder) return;
  const toast = document.createElement("div");
  toast.className = `toast tone-${tone}`;
  toast.dataset.toast = tone;
  toast.appendChild(document.createElement("p")).textContent = text;
  const close = toast.appendChild(document.createElement("button"));
  close.type = "button";
  close.className = "icon-button is-small";
  close.dataset.toastClose = "";
  close.setAttribute("aria-label", "Close");
  close.textContent = "×";
  holder.append(toast);
  holder.dispatchEvent(new CustomEvent("chairside:swapped", { bubbles: true }));
}

document.addEventListener("toast", (event) => showToast(event.detail.text ?? event.detail.value, event.detail.tone));

const WORDS = {
  403: "Your role may not do this. Nothing was changed.",
  404: "This is no longer here. Nothing was changed.",
  409: "Someone changed this meanwhile. Nothing of yours was saved; reload to see the current state.",
  413: "This file is too large. Nothing was saved.",
  429: "Too many requests. Wait a minute, then go on.",
};

/* A short plain-text answer is the server's own sentence; else the words for the status. */
document.addEventListener("htmx:responseError", (event) => {
  const xhr = event.detail.xhr;
  const plain = (xhr.getResponseHeader("Content-Type") || "").startsWith("text/plain") && xhr.responseText.length < 400;
  showToast(plain ? xhr.responseText : WORDS[xhr.status] || "That did not work on our side. Nothing was saved; try again.", "red");
});
