/* Milestones: the order of the rows, by dragging and by keys. */
import "../../clinic/js/order.js";
