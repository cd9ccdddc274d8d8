/* Passkeys: form[data-passkey="get|create"][data-options] asks the browser for one, puts its answer into the form, sends it. */
import { attach } from "./attach.js";

export function passkeysWork() {
  return Boolean(window.isSecureContext && window.PublicKeyCredential && navigator.credentials);
}

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
const withBytes = (list) => (list || []).map((one) => ({ ...one, id: toBytes(one.id) }));

/* The browser's answer as JSON; throws when the person turns it down. */
export async function askPasskey(how, url, csrf) {
  const asked = await fetch(url, { method: "POST", headers: { "X-CSRFToken": csrf, "HX-Request": "true" }, redirect: "manual" });
  if (!asked.ok) throw new Error(String(asked.status));
  const options = await asked.json();
  options.challenge = toBytes(options.challenge);
  if (how === "create") {
    options.user.id = toBytes(options.user.id);
    options.excludeCredentials = withBytes(options.excludeCredentials);
    const made = await navigator.credentials.create({ publicKey: options });
    return {
      id: made.id, rawId: made.id, type: made.type, clientExtensionResults: made.getClientExtensionResults(),
      response: { clientDataJSON: toText(made.response.clientDataJSON), attestationObject: toText(made.response.attestationObject) },
    };
  }
  options.allowCredentials = withBytes(options.allowCredentials);
  const shown = await navigator.credentials.get({ publicKey: options });
  const { clientDataJSON, authenticatorData, signature, userHandle } = shown.response;
  return {
    id: shown.id, rawId: shown.id, type: shown.type, clientExtensionResults: shown.getClientExtensionResults(),
    response: {
      clientDataJSON: toText(clientDataJSON), authenticatorData: toText(authenticatorData), signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null,
    },
  };
}

attach("form[data-passkey]", (form) => {
  const error = form.querySelector("[data-passkey-error]");
  if (!passkeysWork()) {
    form.hidden = true;
    return;
  }
  form.addEventListener("submit", async (event) => {
    if (form.elements.passkey.value) return;
    event.preventDefault();
    error.textContent = "";
    try {
      const csrf = form.elements.csrfmiddlewaretoken.value;
      form.elements.passkey.value = JSON.stringify(await askPasskey(form.dataset.passkey, form.dataset.options, csrf));
    } catch {
      error.textContent = "No passkey came of it. Try again, or take the other way.";
      return;
    }
    form.submit();
  });
});
