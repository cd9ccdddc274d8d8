/* "Add a row" in a Django formset: copies the last row, empties it and counts on. */
import { attach, attachWithin } from "./attach.js";

attach("[data-rows]", (box) => {
  const total = box.querySelector(`[name="${box.dataset.prefix}-TOTAL_FORMS"]`);
  box.querySelector("[data-add-row]")?.addEventListener("click", () => {
    const rows = box.querySelectorAll("[data-row]");
    const last = rows[rows.length - 1];
    const number = Number(total.value);
    const copy = last.cloneNode(true);
    for (const part of copy.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
      for (const attribute of ["name", "id", "for", "aria-describedby"]) {
        const value = part.getAttribute(attribute);
        if (value) part.setAttribute(attribute, value.replace(/-\d+-/, `-${number}-`));
      }
      if (part.matches("input[type=checkbox]")) part.checked = false;
      else if (part.matches("input:not([type=hidden]), textarea")) part.value = "";
      else if (part.matches("select")) part.selectedIndex = 0;
    }
    copy.querySelectorAll(".field-error").forEach((error) => error.remove());
    last.after(copy);
    total.value = String(number + 1);
    attachWithin(copy);
    copy.querySelector("input, select, textarea")?.focus();
  });
});
