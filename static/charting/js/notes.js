/* Notes: what is typed keeps itself, short codes become their text, Tab goes from place to place. */
import { attach, isLocked, requestHeaders } from "../../clinic/js/attach.js";
import { isKept } from "../../clinic/js/forms.js";

const QUIET_MS = 500;
const AGAIN_MS = 3000;
/* A place to fill in: {label: default / choice}, or a blank. The same as in charting/notes.py. */
const PLACE = /\{[^{}\n:]{1,40}: [^{}\n]*\}|_{3,}/g;

/* Types over what is selected, so that the browser's own undo takes it back. */
function type(area, start, end, text) {
  area.focus();
  area.setSelectionRange(start, end);
  if (!document.execCommand("insertText", false, text)) {
    area.setRangeText(text, start, end, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function optionsOf(place) {
  const colon = place.indexOf(": ");
  return place.startsWith("{") && colon > 0 ? place.slice(colon + 2, -1).split(" / ") : [];
}

function placeAfter(area, at) {
  PLACE.lastIndex = at;
  const found = PLACE.exec(area.value);
  return found && { start: found.index, end: found.index + found[0].length, text: found[0] };
}

/* The place that is selected as a whole. */
function placeSelected(area) {
  const found = placeAfter(area, area.selectionStart);
  return found && found.start === area.selectionStart && found.end === area.selectionEnd ? found : null;
}

function goTo(area, place) {
  area.setSelectionRange(place.start, place.end);
  const line = area.value.slice(0, place.start).split("\n").length;
  const height = parseFloat(getComputedStyle(area).lineHeight) || 20;
  if ((line + 2) * height > area.scrollTop + area.clientHeight || line * height < area.scrollTop + height) {
    area.scrollTop = Math.max(0, line * height - area.clientHeight / 2);
  }
}

attach("[data-note-text]", (area) => {
  const form = area.form;
  const texts = JSON.parse(document.getElementById("note-texts")?.textContent || "[]");
  const choices = form.querySelector("[data-note-choices]");

  function choose(number) {
    const place = placeSelected(area);
    const option = place && optionsOf(place.text)[number];
    if (!option || /^_{3,}$/.test(option)) return false;
    type(area, place.start, place.end, option);
    next(area.selectionEnd);
    return true;
  }

  function next(from) {
    const place = placeAfter(area, from) || placeAfter(area, 0);
    if (place) goTo(area, place);
    offer();
    return Boolean(place);
  }

  function offer() {
    const place = placeSelected(area);
    const options = place ? optionsOf(place.text).filter((option) => !/^_{3,}$/.test(option)) : [];
    const first = place ? optionsOf(place.text).length - options.length : 0;
    choices.hidden = !options.length;
    choices.replaceChildren(...options.map((option, index) => {
      const item = document.createElement("li");
      const button = item.appendChild(document.createElement("button"));
      button.type = "button";
      button.className = "chip";
      button.append(Object.assign(document.createElement("kbd"), { textContent: String(index + 1) }), ` ${option}`);
      button.addEventListener("mousedown", (event) => event.preventDefault()); // the place stays selected
      button.addEventListener("click", () => choose(index + first));
      return item;
    }));
  }

  /* A template's text; the note is of its kind when it begins with it. */
  function insert({ id, kind, text }, start, end, before = "") {
    if (!(area.value.slice(0, start) + area.value.slice(end)).trim()) {
      form.elements.kind.value = kind;
      form.elements.template.value = id;
    }
    type(area, start, end, before + text);
    const place = placeAfter(area, start);
    if (place && place.start < start + text.length) goTo(area, place);
    offer();
  }

  area.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === " " && area.selectionStart === area.selectionEnd) {
      const [written, code] = /(?:^|\s)\.([a-z][a-z0-9]*)$/.exec(area.value.slice(0, area.selectionStart)) || [];
      const found = written && texts.find((each) => each.code === code);
      if (!found) return;
      event.preventDefault();
      insert(found, area.selectionStart - code.length - 1, area.selectionStart);
    } else if (event.key === "Tab" && !event.shiftKey) {
      const here = placeSelected(area);
      if (here && choose(0)) {
        event.preventDefault();
        return;
      }
      const place = placeAfter(area, area.selectionEnd);
      if (!place) return; // and so Tab leaves the field
      event.preventDefault();
      goTo(area, place);
      offer();
    } else if (/^[1-9]$/.test(event.key)) {
      const place = placeSelected(area);
      if (!place) return;
      const options = optionsOf(place.text);
      const blanks = options.filter((option) => /^_{3,}$/.test(option)).length;
      if (options.length - blanks > 1 && choose(Number(event.key) - 1 + blanks)) event.preventDefault();
    }
  });
  for (const kind of ["keyup", "pointerup", "focus"]) area.addEventListener(kind, offer);

  for (const link of document.querySelectorAll("[data-note-template]")) {
    link.addEventListener("click", (event) => {
      const found = texts.find((each) => each.id === link.dataset.noteTemplate);
      if (!found || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const inside = area.selectionStart > 0 && area.value[area.selectionStart - 1] !== "\n";
      insert(found, area.selectionStart, area.selectionEnd, inside ? "\n" : "");
    });
  }

  area.focus();
  /* Whoever began to type before this script came goes on where they are. */
  if (area.value && area.value === area.defaultValue && !next(0)) area.setSelectionRange(area.value.length, area.value.length);
});

/* What is typed is kept after each pause of half a second, under the number of this window's saving. */
attach("[data-note-form]", (form) => {
  const state = document.querySelector("[data-note-state]");
  const windowKey = crypto.randomUUID();
  let number = 0;
  let timer = 0;
  let sending = null;
  let isOthers = false;

  /* The saving ends what this window has kept, and no other window's. A browser that reloads may fill in what stood there. */
  function sayWhich() {
    form.elements.window.value = windowKey;
    form.elements.began.value = form.dataset.began;
  }

  async function keep() {
    clearTimeout(timer);
    timer = 0; // nothing waits: a page that is left keeps only what was typed since
    if (sending || isOthers) return;
    if (isLocked()) {
      timer = setTimeout(keep, AGAIN_MS);
      return;
    }
    sayWhich();
    const body = new FormData(form);
    body.delete("once");
    body.set("number", String(++number));
    const typed = form.elements.body.value;
    try {
      sending = fetch(form.dataset.keep, { method: "POST", body, headers: requestHeaders(), redirect: "manual" });
      const answer = await sending;
      sending = null;
      if (answer.status === 409) {
        isOthers = true;
        document.querySelector("[data-note-other]").hidden = false;
        state.textContent = "Not kept here";
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      if (form.elements.body.value === typed) {
        isKept(form);
        state.textContent = `Kept ${new Date().toLocaleTimeString([], { hour: "numeric", minute: "2-digit" })}, not saved as a note yet`;
      } else later();
    } catch {
      sending = null;
      state.textContent = "Not kept: the server can't be reached. It is tried again.";
      timer = setTimeout(keep, AGAIN_MS);
    }
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(keep, QUIET_MS);
  }

  if (form.elements.body.value !== form.elements.body.defaultValue) later();
  form.addEventListener("input", later);
  form.addEventListener("change", later);
  /* A keeping that is under way must not come after the saving that ends it. */
  form.addEventListener("submit", (event) => {
    clearTimeout(timer);
    sayWhich();
    if (!sending) {
      isOthers = true;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const button = event.submitter;
    sending.catch(() => {}).finally(() => form.requestSubmit(button));
  }, { capture: true });
  document.addEventListener("visibilitychange", () => { if (document.hidden && timer) keep(); });
});

attach("select[data-note-kind]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));

/* The list stays where it is while another note opens beside it. */
attach("a[data-note-link]", (link) => link.addEventListener("click", (event) => {
  if (!window.htmx || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  const list = link.closest(".note-rows");
  const top = list.scrollTop;
  const address = link.getAttribute("href");
  const { words, kind } = link.closest(".notes").dataset;
  const [verb, where, values] = words // what a search has found stays, and its words stay out of the address
    ? ["POST", address.split("?")[0], { q: words, kind }]
    : ["GET", `${address.split("?")[0]}?${new URLSearchParams(window.location.search)}`, {}];
  window.htmx.ajax(verb, where, { target: "#notes", swap: "innerHTML", values }).then(() => {
    window.history.replaceState(null, "", `${address.split("?")[0]}`);
    document.querySelector(".note-rows").scrollTop = top;
    document.getElementById(link.id)?.focus({ preventScroll: true });
  });
}));
