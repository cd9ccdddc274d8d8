/* Milestones: the order of the rows, by dragging and by keys; a step that was refused comes back with its dialog open. */
import "../../clinic/js/order.js";

document.querySelector('dialog[data-refused="yes"]')?.showModal();
