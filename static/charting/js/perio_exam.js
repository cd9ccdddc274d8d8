/* One exam: a choice of what to compare with is shown at once. */
import { attach } from "../../clinic/js/attach.js";

attach("select[data-submits]", (select) => select.addEventListener("change", () => select.form.requestSubmit()));
