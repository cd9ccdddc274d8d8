/* The entry line of chart and plan: Tab takes what the preview offers for the word at its end. */
import { attach } from "../../clinic/js/attach.js";

attach("#entry", (input) => {
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Tab" || event.shiftKey) return;
    const offered = document.querySelector("#preview [data-completion]");
    if (!offered || input.selectionStart !== input.value.length) return;
    event.preventDefault();
    const cut = Number(offered.dataset.cut ?? input.value.length); // a word at fault may stand before others
    input.value = `${input.value.slice(0, cut).replace(/[^\s;]*$/, "")}${offered.dataset.completion}${input.value.slice(cut) || " "}`;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
});
