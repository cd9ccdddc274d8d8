/* The one entry of every page: brings in the behaviours and attaches them. */
import { attachWithin } from "./attach.js";
import "./theme.js";
import "./keys.js";
import "./dialog.js";
import "./menu.js";
import "./toast.js";
import "./forms.js";
import "./rows.js";
import "./combobox.js";
import "./datetime.js";
import "./connection.js";
import "./poll.js";
import "./lock.js";

attachWithin(document.documentElement);
document.addEventListener("htmx:load", (event) => attachWithin(event.detail.elt));
document.addEventListener("chairside:swapped", (event) => attachWithin(event.target));
