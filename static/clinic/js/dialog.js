/* Dialogs and drawers: data-opens="id" opens one, data-closes shuts the one around it. */
import { hasUnsaved } from "./forms.js";
import { showKeys } from "./keys.js";

const QUESTION = "Leave without saving? What you typed here is lost.";

function shut(dialog) {
  if (hasUnsaved(dialog) && !window.confirm(QUESTION)) return false;
  dialog.close();
  return true;
}

function closeMenus() {
  for (const menu of document.querySelectorAll("[popover]:popover-open")) menu.hidePopover();
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest?.("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    if (!dialog) return;
    event.preventDefault();
    closeMenus();
    if (dialog.id === "keys") showKeys();
    else if (!dialog.open) dialog.showModal();
    return;
  }
  const closer = event.target.closest?.("[data-closes]");
  const around = closer?.closest("dialog");
  if (around) {
    event.preventDefault();
    shut(around);
    return;
  }
  if (event.target instanceof HTMLDialogElement && event.target.matches(".drawer")) {
    const box = event.target.getBoundingClientRect();
    if (event.clientX < box.left) shut(event.target);
  }
});

document.addEventListener("cancel", (event) => {
  if (event.target instanceof HTMLDialogElement && hasUnsaved(event.target) && !window.confirm(QUESTION)) event.preventDefault();
}, true);

/* The shell's drawer opens when htmx fills it, and empties when it is shut. */
document.addEventListener("htmx:afterSwap", (event) => {
  const dialog = event.target.closest?.("dialog[data-fills]");
  if (!dialog || !event.target.childElementCount) return;
  const title = dialog.querySelector("[data-drawer-title]");
  if (title) dialog.setAttribute("aria-label", title.textContent);
  closeMenus();
  if (!dialog.open) dialog.showModal();
  dialog.querySelector("[autofocus], .dialog-body :is(input:not([type=hidden]), select, textarea)")?.focus();
});
document.addEventListener("close", (event) => {
  if (event.target.matches?.("dialog[data-fills]")) event.target.querySelector("#drawer-body")?.replaceChildren();
}, true);
document.addEventListener("drawer-close", () => {
  for (const dialog of document.querySelectorAll(".drawer[open]")) dialog.close();
});
