/* Says so in the top bar when the network or the server does not answer; silent while all is well. */
const holder = () => document.getElementById("connection");
let failing = false;
let signedOut = false;

function show() {
  const element = holder();
  if (!element) return;
  let words = "";
  if (!navigator.onLine) words = "Offline. What you see may be old.";
  else if (signedOut) words = "Signed out. Reload to sign in again.";
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

export function sessionEnded() {
  signedOut = true;
  show();
}

window.addEventListener("online", show);
window.addEventListener("offline", show);
document.addEventListener("htmx:sendError", () => serverAnswers(false));
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) serverAnswers(true); });
show();
