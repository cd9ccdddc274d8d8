/* Says so in the top bar when the network or the server does not answer; silent while all is well. */
const holder = () => document.getElementById("connection");
let failing = false;

function show() {
  const element = holder();
  if (!element) return;
  let words = "";
  if (!navigator.onLine) words = "Offline. What you see may be old.";
  else if (failing) words = "No answer from the server. Trying again.";
  const place = element.querySelector("[data-connection-words]");
  if (place.textContent !== words) place.textContent = words;
  element.title = words;
  element.hidden = !words;
}

export function serverAnswers(yes) {
  failing = !yes;
  show();
}

/* The server did not know us: lock.js finds out why, and covers the page when it must. */
export function sessionEnded() {
  document.dispatchEvent(new CustomEvent("chairside:session-ended"));
}

window.addEventListener("online", show);
window.addEventListener("offline", show);
document.addEventListener("htmx:sendError", () => serverAnswers(false));
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) serverAnswers(true); });
show();
