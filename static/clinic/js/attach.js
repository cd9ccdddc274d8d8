/* Attaches a behaviour to what matches, once an element, now and after every htmx or poll swap. */
const behaviours = [];

export function attach(selector, start) {
  behaviours.push({ selector, start, seen: new WeakSet() });
}

export function attachWithin(root) {
  for (const { selector, start, seen } of behaviours) {
    const found = [...root.querySelectorAll(selector)];
    if (root.matches?.(selector)) found.unshift(root);
    for (const element of found) {
      if (seen.has(element)) continue;
      seen.add(element);
      start(element);
    }
  }
}

/* Whether the page is covered after a pause: then nothing asks the server by itself. */
export const isLocked = () => document.documentElement.hasAttribute("data-locked");

/* What every own request says about itself; the same as htmx says. */
export function requestHeaders() {
  let shared = {};
  try { shared = JSON.parse(document.body.getAttribute("hx-headers") || "{}"); } catch { /* A bare page has none. */ }
  return { "HX-Request": "true", ...shared };
}

export function remembered(name) {
  try { return localStorage.getItem(`chairside.${name}`); } catch { return null; }
}

export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`chairside.${name}`);
    else localStorage.setItem(`chairside.${name}`, value);
  } catch { /* Then it holds for this page only. */ }
}
