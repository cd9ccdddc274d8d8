/* Treatment plans: the entry line, picked codes, the order of the rows, the signature field. */
import { attach } from "../../clinic/js/attach.js";
import "../../clinic/js/order.js";
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
