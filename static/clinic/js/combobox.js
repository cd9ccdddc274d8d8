/* data-combobox: type, choose with arrows, Enter takes, Esc shuts. Options come from data-src?q= or stand in the list. */
import { attach, requestHeaders } from "./attach.js";
import { sessionEnded } from "./connection.js";

const DEBOUNCE_MS = 150;
let counter = 0;

attach("[data-combobox]", (box) => {
  const input = box.querySelector("input:not([type=hidden])");
  const hidden = box.querySelector("input[type=hidden]");
  const list = box.querySelector(".options");
  const source = box.dataset.src;
  const least = Number(box.dataset.min || 1);
  const said = box.appendChild(document.createElement("span"));
  let timer = 0;
  let running = null;
  let active = null;

  counter += 1;
  list.id ||= `options-${counter}`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", input.labels?.[0]?.textContent.trim() || "Results");
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  said.className = "visually-hidden";
  said.setAttribute("role", "status");

  const all = () => [...list.querySelectorAll("[role=option]")];
  const shown = () => all().filter((option) => !option.hidden);

  function mark(option) {
    active?.setAttribute("aria-selected", "false");
    active = option || null;
    if (active) {
      active.setAttribute("aria-selected", "true");
      input.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function show(open) {
    list.hidden = !open;
    input.setAttribute("aria-expanded", String(open));
    if (!open) mark(null);
  }

  /* An option is one thing to a screen reader, so the link in it gives up its address to the option. */
  function prepare() {
    all().forEach((option, index) => {
      option.id ||= `${list.id}-${index}`;
      option.setAttribute("aria-selected", "false");
      const link = option.querySelector("a[href]");
      if (link) {
        option.dataset.goto = link.href;
        link.removeAttribute("href");
      }
    });
  }

  function settle() {
    const count = shown().length;
    show(list.childElementCount > 0);
    mark(shown()[0]);
    said.textContent = count === 1 ? "1 result" : `${count} results`;
  }

  async function ask(text) {
    running?.abort();
    running = new AbortController();
    const url = new URL(source, window.location.href);
    url.searchParams.set("q", text);
    try {
      const answer = await fetch(url, { headers: requestHeaders(), signal: running.signal });
      if (answer.status === 401) sessionEnded();
      if (!answer.ok || answer.redirected) return;
      list.innerHTML = await answer.text();
      prepare();
      if (document.activeElement === input) settle();
    } catch (failure) {
      if (failure.name !== "AbortError") show(false);
    }
  }

  function find() {
    const text = input.value.trim();
    clearTimeout(timer);
    if (source) {
      if (text.length < least) {
        running?.abort();
        show(false);
        return;
      }
      timer = setTimeout(ask, DEBOUNCE_MS, text);
      return;
    }
    for (const option of all()) option.hidden = !option.textContent.toLowerCase().includes(text.toLowerCase());
    settle();
  }

  function take(option, elsewhere) {
    if (option.dataset.goto) {
      if (elsewhere) window.open(option.dataset.goto, "_blank", "noopener");
      else window.location.assign(option.dataset.goto);
      return;
    }
    input.value = (option.dataset.text || option.textContent).trim().replace(/\s+/g, " ");
    if (hidden) {
      hidden.value = option.dataset.value ?? "";
      hidden.dispatchEvent(new Event("change", { bubbles: true }));
    }
    show(false);
  }

  input.addEventListener("input", () => {
    if (hidden?.value) {
      hidden.value = "";
      hidden.dispatchEvent(new Event("change", { bubbles: true }));
    }
    find();
  });
  input.addEventListener("click", () => { if (!source && list.hidden) find(); });
  input.addEventListener("blur", () => show(false));
  input.addEventListener("keydown", (event) => {
    const options = shown();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) {
        find();
        return;
      }
      const step = event.key === "ArrowDown" ? 1 : -1;
      const here = options.indexOf(active);
      mark(options[(here + step + options.length) % options.length]);
    } else if (event.key === "Enter" && !event.ctrlKey && !event.metaKey && !list.hidden && active) {
      event.preventDefault();
      take(active, false);
    } else if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      show(false);
    }
  });

  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option, event.ctrlKey || event.metaKey);
  });
  prepare();
});
