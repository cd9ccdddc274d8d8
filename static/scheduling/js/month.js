/* The month: arrows walk from day to day, past its edge into the next or the last one. */
import { attach } from "../../clinic/js/attach.js";
import { isTyping } from "../../clinic/js/keys.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

attach("select[data-submits]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));

attach("[data-month]", (month) => {
  const days = [...month.querySelectorAll("[data-day]")];
  document.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS) || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (event.target.closest("[popover], dialog, select")) return;
    event.preventDefault();
    const here = days.indexOf(document.activeElement);
    const start = Math.max(0, days.findIndex((day) => day.hasAttribute("aria-current")));
    const next = days[here < 0 ? start : here + STEPS[event.key]];
    if (next) next.focus();
    else document.querySelector(STEPS[event.key] < 0 ? "a[rel=prev]" : "a[rel=next]")?.click();
  });
});
