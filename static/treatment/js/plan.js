/* Treatment plans: the entry line, picked codes, the order of the rows, the signature field. */
import { attach, requestHeaders } from "../../clinic/js/attach.js";
import "../../charting/js/completion.js";

/* A search that puts what is picked elsewhere: into a field, or as a line of its own. */
function picked(input, put) {
  const box = input.closest("[data-combobox]");
  const hidden = box.querySelector("input[type=hidden]");
  hidden.addEventListener("change", () => {
    if (!hidden.value) return;
    put(hidden.value, input.value);
    input.value = "";
    hidden.value = "";
  });
}
attach("[data-picks-into]", (input) => picked(input, (value) => {
  const field = document.getElementById(input.dataset.picksInto);
  field.value = value;
  field.focus();
}));
attach("[data-picks-line]", (input) => picked(input, (value, text) => {
  const field = document.getElementById(input.dataset.picksLine);
  const lines = field.value.split("\n").filter((line) => line.trim());
  if (!lines.some((line) => line.startsWith(`${value} `))) lines.push(text);
  field.value = lines.join("\n");
}));

/* Rows change places by dragging, and with Alt and the arrows. */
attach("[data-order]", (body) => {
  if (!body.querySelector(".plan-acts a")) return; // who reads the plan orders nothing
  const rows = () => [...document.querySelectorAll("[data-order] [data-procedure]")];
  const order = () => rows().map((row) => row.dataset.procedure).join(",");
  let kept = order();
  const send = () => {
    if (order() === kept) return;
    const data = new FormData();
    data.set("csrfmiddlewaretoken", body.closest("form").elements.csrfmiddlewaretoken.value);
    data.set("once", crypto.randomUUID());
    data.set("order", order());
    fetch(body.dataset.order, { method: "POST", body: data, headers: requestHeaders() }).then((answer) => {
      if (!answer.ok) throw new Error(answer.status);
      kept = data.get("order");
    }).catch(() => window.location.reload()); // the page shows what the server has
  };
  let dragged = null;
  for (const row of body.querySelectorAll("[data-procedure]")) {
    row.draggable = true;
    row.addEventListener("dragstart", () => { dragged = row; row.classList.add("is-dragged"); });
    row.addEventListener("dragend", () => { row.classList.remove("is-dragged"); dragged = null; send(); });
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
    const row = event.target.closest("[data-procedure]");
    if (!event.altKey || !row || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const other = event.key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    event.preventDefault();
    row.parentNode.insertBefore(row, event.key === "ArrowUp" ? other : other.nextSibling);
    event.target.focus();
    send();
  });
});

/* Draw with a pointer; the form carries the drawing as a PNG. */
attach("[data-signature]", (field) => {
  const canvas = field.querySelector("canvas");
  const value = document.getElementById(field.dataset.signature);
  const state = field.querySelector("[data-signature-state]");
  const pen = canvas.getContext("2d");
  Object.assign(pen, { lineWidth: 4, lineCap: "round", lineJoin: "round", strokeStyle: "#10243a" });
  let drawing = false;

  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * canvas.width / box.width, (event.clientY - box.top) * canvas.height / box.height];
  };
  const blank = () => {
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    value.value = "";
    state.textContent = "Sign here";
  };
  canvas.addEventListener("pointerdown", (event) => {
    drawing = true;
    canvas.setPointerCapture(event.pointerId);
    pen.beginPath();
    pen.moveTo(...at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!drawing) return;
    pen.lineTo(...at(event));
    pen.stroke();
  });
  canvas.addEventListener("pointerup", () => {
    drawing = false;
    value.value = canvas.toDataURL("image/png");
    state.textContent = "Signed";
  });
  field.querySelector("[data-signature-clear]").addEventListener("click", blank);
  if (value.value) {
    const drawn = new Image();
    drawn.addEventListener("load", () => pen.drawImage(drawn, 0, 0));
    drawn.src = value.value;
    state.textContent = "Signed";
  } else blank();
});
