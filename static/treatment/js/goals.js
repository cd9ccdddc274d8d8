/* Goals: the library filtered while one types; a visit's interventions ticked by two digits, the row's and the effect's. */
import { attach } from "../../clinic/js/attach.js";
import { isTyping } from "../../clinic/js/keys.js";

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

attach("[data-library-search]", (search) => {
  const rows = [...document.querySelectorAll("[data-library-row]")];
  const modality = document.querySelector("[data-library-modality]");
  const texts = rows.map((row) => plain(row.textContent));
  /* What the server has sorted out already is not here: then it is asked again by the button. */
  const isWhole = !new URLSearchParams(location.search).get("q") && !new URLSearchParams(location.search).get("modality");
  if (!isWhole) return;
  const sift = () => {
    const words = plain(search.value).split(/\s+/).filter(Boolean);
    const wanted = modality.value.toLowerCase();
    rows.forEach((row, index) => {
      row.hidden = !(words.every((word) => texts[index].includes(word)) && (!wanted || row.dataset.modality === wanted));
    });
  };
  search.addEventListener("input", sift);
  modality.addEventListener("change", sift);
});

attach("[data-tick]", (form) => {
  const rows = [...form.querySelectorAll("[data-tick-row]")];
  const tick = (row, yes) => {
    const box = row.querySelector("[data-tick-box]");
    box.checked = yes;
    box.dispatchEvent(new Event("change", { bubbles: true }));
  };
  let armed = null; // the row whose digit was pressed: the next digit is its effect

  const disarm = () => { armed = null; };

  form.addEventListener("pointerdown", disarm);
  /* An effect says that it was used. */
  form.addEventListener("change", (event) => {
    if (event.target.matches("[data-tick-effect]")) tick(event.target.closest("[data-tick-row]"), true);
  });

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    if (!/^[0-9]$/.test(event.key)) {
      if (event.key !== "Tab" && event.key !== "Shift") disarm();
      return;
    }
    const digit = Number(event.key);
    event.preventDefault();
    if (armed) {
      const effect = digit <= 5 && armed.querySelectorAll("input[type=radio]")[digit];
      if (effect) {
        effect.checked = true;
        effect.dispatchEvent(new Event("change", { bubbles: true }));
        effect.focus({ focusVisible: true });
      }
      disarm();
      return;
    }
    const row = rows.find((each) => each.dataset.tickRow === event.key);
    if (!row) return;
    const box = row.querySelector("[data-tick-box]");
    tick(row, !box.checked);
    box.focus({ focusVisible: true });
    armed = box.checked ? row : null;
  });
});
