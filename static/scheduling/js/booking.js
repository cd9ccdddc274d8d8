/* Booking: choosing a patient goes on at once, and arrows walk the free times, from the list of them to the first. */
import { attach } from "../../clinic/js/attach.js";

attach("form[data-pick]", (form) => {
  form.addEventListener("change", (event) => {
    if (event.target.type === "hidden" && event.target.value) form.requestSubmit();
  });
});

document.addEventListener("keydown", (event) => {
  const here = event.target.closest?.("[data-free], [data-free-list]");
  const step = { ArrowDown: 1, ArrowRight: 1, j: 1, ArrowUp: -1, ArrowLeft: -1, k: -1 }[event.key];
  if (!here || !step || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = [...document.querySelectorAll("[data-free]")];
  if (!all.length) return;
  event.preventDefault();
  all[Math.min(all.length - 1, Math.max(0, all.indexOf(here) + step))].focus({ focusVisible: true });
});
