/* data-order="url" around rows with data-row="key": they change places by dragging, and with Alt and the arrows; the new order of all
   rows of the page is sent as `order`. Several such bodies are one order, but a row stays in its own. */
import { attach, requestHeaders } from "./attach.js";

attach("[data-order]", (body) => {
  const order = () => [...document.querySelectorAll("[data-order] [data-row]")].map((row) => row.dataset.row).join(",");
  let kept = order();
  let sending = Promise.resolve();
  const send = () => {
    if (order() === kept) return;
    kept = order();
    const data = new FormData();
    data.set("once", crypto.randomUUID());
    data.set("order", kept);
    // One after the other, so that the last order wins.
    sending = sending.then(() => fetch(body.dataset.order, { method: "POST", body: data, headers: requestHeaders() })).then((answer) => {
      if (!answer.ok) throw new Error(answer.status);
    }).catch(() => window.location.reload()); // the page shows what the server has
  };
  let dragged = null;
  for (const row of body.querySelectorAll("[data-row]")) {
    row.draggable = true;
    let next = null;
    row.addEventListener("dragstart", () => { dragged = row; next = row.nextSibling; row.classList.add("is-dragged"); });
    row.addEventListener("dragend", (event) => {
      row.classList.remove("is-dragged");
      dragged = null;
      if (event.dataTransfer.dropEffect === "none") row.parentNode.insertBefore(row, next); // Esc, or dropped elsewhere
      else send();
    });
    row.addEventListener("drop", (event) => event.preventDefault());
    row.addEventListener("dragover", (event) => {
      if (!dragged || dragged.parentNode !== row.parentNode) return;
      event.preventDefault();
      if (dragged === row) return;
      const after = event.clientY > row.getBoundingClientRect().top + row.offsetHeight / 2;
      row.parentNode.insertBefore(dragged, after ? row.nextSibling : row);
    });
  }
  body.addEventListener("keydown", (event) => {
    const row = event.target.closest("[data-row]");
    if (!event.altKey || !row || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const other = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    event.preventDefault();
    row.parentNode.insertBefore(row, event.key === "ArrowUp" ? other : other.nextSibling);
    event.target.focus();
    send();
  });
});
