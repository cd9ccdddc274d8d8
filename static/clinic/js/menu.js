/* Popover menus stand under their button, inside the window; arrows walk them. */
import { attach } from "./attach.js";

const GAP = 4;

function place(menu, button) {
  const from = button.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const left = from.left + size.width > window.innerWidth - 8 ? from.right - size.width : from.left;
  const below = from.bottom + GAP;
  const top = below + size.height > window.innerHeight - 8 && from.top - GAP - size.height > 8 ? from.top - GAP - size.height : below;
  menu.style.margin = "0";
  menu.style.left = `${Math.max(8, left)}px`;
  menu.style.top = `${top}px`;
}

attach(".menu[popover]", (menu) => {
  const button = () => document.querySelector(`[popovertarget="${CSS.escape(menu.id)}"]`);
  const follow = () => button() && place(menu, button());
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "open") {
      follow();
      window.addEventListener("resize", follow);
      window.addEventListener("scroll", follow, { passive: true });
    } else {
      window.removeEventListener("resize", follow);
      window.removeEventListener("scroll", follow);
    }
  });
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = [...menu.querySelectorAll("a[href], button:not([disabled])")];
    const here = items.indexOf(document.activeElement);
    items[(here + step + items.length) % items.length]?.focus();
  });
  button()?.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown") return;
    event.preventDefault();
    menu.showPopover();
    menu.querySelector("a[href], button:not([disabled])")?.focus();
  });
});
