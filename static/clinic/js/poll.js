/* data-poll="url" data-poll-seconds data-after: asks url?after=token; 204 means nothing new, 200 brings the new content.
   data-poll-at-once: the first time right away. */
import { attach, isLocked, requestHeaders } from "./attach.js";
import { serverAnswers, sessionEnded } from "./connection.js";
import { isTyping } from "./keys.js";

/* What one looks at must not move: the focus, the caret and the scroll positions survive a swap. */
function swap(element, html) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const focusKey = focused && (focused.id ? `#${CSS.escape(focused.id)}` : focused.getAttribute("href") ? `a[href="${CSS.escape(focused.getAttribute("href"))}"]` : null);
  const scrolled = [...element.querySelectorAll("[id]")].filter((part) => part.scrollTop || part.scrollLeft).map((part) => [part.id, part.scrollTop, part.scrollLeft]);
  const opened = [...element.querySelectorAll("details[id][open]")].map((part) => part.id);
  const anchor = [...element.querySelectorAll("[id]")].find((part) => part.getBoundingClientRect().top > 0);
  const anchorTop = anchor?.getBoundingClientRect().top;

  element.innerHTML = html;

  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  for (const [id, top, left] of scrolled) document.getElementById(id)?.scrollTo(left, top);
  const stays = anchor && document.getElementById(anchor.id);
  if (stays) window.scrollBy(0, stays.getBoundingClientRect().top - anchorTop);
  if (focusKey) element.querySelector(focusKey)?.focus({ preventScroll: true });
  window.htmx?.process(element);
  element.dispatchEvent(new CustomEvent("chairside:swapped", { bubbles: true }));
}

/* Not under the reader's hands: while a field is typed in, a menu or dialog of this part is open, or text is selected. */
function isInUse(element) {
  const here = document.activeElement;
  return element.contains(here) && isTyping(here) ||
    Boolean(element.querySelector("[popover]:popover-open, dialog[open], .htmx-request"));
}

attach("[data-poll]", (element) => {
  const pause = Number(element.dataset.pollSeconds || 10) * 1000;
  let failures = 0;
  let timer = 0;

  function later() {
    clearTimeout(timer);
    if (element.isConnected && !document.hidden) timer = setTimeout(look, pause * Math.min(4, 1 + failures));
  }

  async function look() {
    if (!element.isConnected || document.hidden) return;
    if (isLocked() || isInUse(element)) {
      later();
      return;
    }
    const url = new URL(element.dataset.poll, window.location.href);
    if (element.dataset.after) url.searchParams.set("after", element.dataset.after);
    try {
      const answer = await fetch(url, { headers: { ...requestHeaders(), "X-Poll": "1" }, cache: "no-store" });
      if (answer.redirected || answer.status === 401 || answer.status === 403) {
        sessionEnded();
        later();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      if (failures > 1) serverAnswers(true);
      failures = 0;
      if (answer.status === 200) {
        const html = await answer.text();
        if (isLocked() || isInUse(element)) {
          later();
          return;
        }
        swap(element, html);
        element.dataset.after = answer.headers.get("X-Change-Token") || "";
      }
    } catch {
      failures += 1;
      if (failures === 2) serverAnswers(false);
    }
    later();
  }

  document.addEventListener("visibilitychange", () => {
    if (!element.isConnected) return;
    if (document.hidden) clearTimeout(timer);
    else look();
  });
  element.addEventListener("poll-now", look);
  if ("pollAtOnce" in element.dataset) look();
  else later();
});
