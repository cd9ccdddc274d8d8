/* Forms that write (data-form): sent by one press and not by a held one, busy while posting, and a question before typed text is lost. */
import { attach } from "./attach.js";

const unsaved = new Set();
const posting = new Set();

const state = (form) => {
  const data = new FormData(form);
  data.delete("once");
  data.delete("csrfmiddlewaretoken");
  return JSON.stringify([...data].map(([name, value]) => [name, value instanceof File ? value.name : value]));
};

export function hasUnsaved(within = document) {
  for (const form of unsaved) {
    if (!form.isConnected) unsaved.delete(form);
  }
  return [...unsaved].some((form) => within === document || within.contains(form));
}

/* What a form that keeps itself has kept is not lost with the page. */
export function isKept(form) {
  unsaved.delete(form);
}

/* For a page that another person takes over. */
export function forgetUnsaved() {
  unsaved.clear();
}

function busy(form, yes) {
  if (yes) posting.add(form);
  else posting.delete(form);
  const buttons = [...form.querySelectorAll("[type=submit]")];
  if (form.id) buttons.push(...document.querySelectorAll(`[type=submit][form="${CSS.escape(form.id)}"]`));
  for (const button of buttons) {
    if (yes && button.disabled) continue;
    button.classList.toggle("is-busy", yes && button.classList.contains("button"));
    button.disabled = yes;
  }
}

/* What answers in a tab of its own leaves this page as it is: the next press is another sending, under a key of its own. */
function anew(form) {
  if (form.elements.once) form.elements.once.value = crypto.randomUUID();
}

attach("form[data-form]", (form) => {
  if (form.method === "get") return;
  const first = state(form);
  const look = () => (state(form) === first ? unsaved.delete(form) : unsaved.add(form));
  form.addEventListener("input", look);
  form.addEventListener("change", look);
  form.addEventListener("reset", () => setTimeout(look));
  form.addEventListener("submit", (event) => {
    unsaved.delete(form);
    /* After the browser has gathered the data, so that the pressed button's value goes along. */
    setTimeout(() => {
      if (event.defaultPrevented) return;
      if (form.target === "_blank") anew(form);
      else busy(form, true);
    });
  });
  form.addEventListener("htmx:beforeRequest", (event) => { if (event.target === form) busy(form, true); });
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== form) return;
    busy(form, false);
    if (event.detail.successful) unsaved.delete(form);
    else look();
  });
});

/* A key that is held down goes on into the next page, and would press there whatever has the focus. */
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.repeat) return;
  const { form } = event.target;
  const breaksLine = event.target instanceof HTMLTextAreaElement && !event.ctrlKey && !event.metaKey;
  if (form?.matches?.("form[data-form]") && form.method === "post" && !breaksLine) event.preventDefault();
}, { capture: true });

/* Coming back by the browser's Back finds the page as it was left: free its buttons. */
window.addEventListener("pageshow", (event) => {
  if (event.persisted) for (const form of posting) busy(form, false);
});

window.addEventListener("beforeunload", (event) => {
  if (hasUnsaved()) event.preventDefault();
});
