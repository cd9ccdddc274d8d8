/* The tooth chart: the pointer and the arrows write into the entry line, the server reads it. */
import { attach } from "../../clinic/js/attach.js";
import "./completion.js";

const line = () => document.getElementById("entry");

/* Puts words to the item at the end of the line; a surface is put to the surfaces of its tooth. */
function write(words, { surface = "", tooth = "" } = {}) {
  const input = line();
  if (!input) return false;
  const cut = input.value.lastIndexOf(";") + 1;
  let item = input.value.slice(cut).trimStart();
  if (tooth) {
    const [first, second = "", ...rest] = item.trim().split(/\s+/);
    if (first !== tooth) item = (item.trim() ? `${item.trim()}; ` : "") + `${tooth} ${surface.toLowerCase()}`;
    else if (!surface) item = `${tooth} `;
    else if (/^[moidbfvl]*$/i.test(second)) {
      const letters = second.toLowerCase().includes(surface.toLowerCase())
        ? second.replace(new RegExp(surface, "i"), "") : second + surface.toLowerCase();
      item = [tooth, letters, ...rest].filter(Boolean).join(" ");
    } else item = `${tooth} ${surface.toLowerCase()} ${[second, ...rest].join(" ")}`;
    item = `${item.trimEnd()} `;
  } else item = `${item.trim()} ${words} `.trimStart();
  input.value = `${input.value.slice(0, cut)}${cut ? " " : ""}${item}`;
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.focus();
  return true;
}

attach("#entry", (input) => {
  const form = input.form;
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== form || event.detail.xhr.status >= 400) return; // what can't be read stays typed
    form.reset();
    input.value = "";
    document.getElementById("preview").replaceChildren();
    form.elements.once.value = crypto.randomUUID(); // the next entry is another one
    input.focus();
  });
});

/* A tooth's story, without losing what is typed. */
function open(event, link) {
  if (!window.htmx) return;
  event.preventDefault();
  window.htmx.ajax("GET", link.getAttribute("href").replace(/#.*/, ""), { target: "#chart", swap: "innerHTML" }).then(() => {
    const shown = document.querySelector("#tooth [data-chart-close]");
    (link.closest("svg") && document.querySelector(`.odontogram .is-chosen a`) || shown)?.focus({ preventScroll: true });
  });
}
attach("a[data-tooth-link], [data-chart-close]", (link) => link.addEventListener("click", (event) => open(event, link)));

attach("[data-word]", (button) => button.addEventListener("click", () => write(button.dataset.word)));

/* One stop of Tab for the whole chart; arrows walk the teeth and their surfaces. */
attach("[data-chart]", (chart) => {
  const drawing = chart.querySelector("svg");
  const links = (tooth) => [...tooth.querySelectorAll("a:not([aria-hidden])")];
  const teeth = [...drawing.querySelectorAll(".tooth")];
  for (const link of drawing.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
  const start = drawing.querySelector(".is-chosen a") || drawing.querySelector("a");
  start?.setAttribute("tabindex", "0");

  const go = (link) => {
    if (!link) return;
    for (const other of drawing.querySelectorAll('a[tabindex="0"]')) other.setAttribute("tabindex", "-1");
    link.setAttribute("tabindex", "0");
    link.focus();
  };

  chart.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-tooth]");
    if (!link || event.ctrlKey || event.metaKey) return;
    if (link.dataset.surface && write("", { tooth: link.dataset.tooth, surface: link.dataset.surface })) event.preventDefault();
    else open(event, link);
  });

  chart.addEventListener("keydown", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.altKey) return;
    const tooth = link.closest(".tooth");
    const place = teeth.indexOf(tooth);
    const within = links(tooth);
    const at = within.indexOf(link);
    const lower = place >= 16;
    /* The lower teeth stand in the drawing from left to right, which is the other way round than they are numbered. */
    const column = Number(tooth.dataset.column);
    const beside = (step) => teeth.find((each, index) => (index >= 16) === lower && Number(each.dataset.column) === column + step);
    const moves = {
      ArrowRight: () => links(beside(1) || tooth)[Math.min(at, links(beside(1) || tooth).length - 1)],
      ArrowLeft: () => links(beside(-1) || tooth)[Math.min(at, links(beside(-1) || tooth).length - 1)],
      ArrowDown: () => within[at + 1] || (lower ? null : links(teeth.find((each, index) => index >= 16 && Number(each.dataset.column) === column))[0]),
      ArrowUp: () => within[at - 1] || (lower ? links(teeth.find((each, index) => index < 16 && Number(each.dataset.column) === column))[0] : null),
      Home: () => links(teeth.find((each, index) => (index >= 16) === lower && Number(each.dataset.column) === 0))[0],
      End: () => links(teeth.find((each, index) => (index >= 16) === lower && Number(each.dataset.column) === 15))[0],
    };
    if (moves[event.key]) {
      event.preventDefault();
      go(moves[event.key]());
    } else if (event.key === " ") {
      event.preventDefault();
      link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
    }
  });
});

/* The days: a choice is shown at once, and the slider chooses among the same days. */
attach("select[data-chart-days]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));
attach("[data-chart-slider]", (slider) => {
  const days = slider.form.elements.on;
  slider.addEventListener("input", () => { days.selectedIndex = days.options.length - 1 - Number(slider.value); });
  slider.addEventListener("change", () => slider.form.requestSubmit());
});
