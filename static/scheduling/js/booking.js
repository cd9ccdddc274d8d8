/* Choosing a patient goes on at once: the form behind the combobox is sent as soon as one is picked. */
import { attach } from "../../clinic/js/attach.js";

attach("form[data-pick]", (form) => {
  form.addEventListener("change", (event) => {
    if (event.target.type === "hidden" && event.target.value) form.requestSubmit();
  });
});
