/* Today: the key of a step acts on the row that has the focus. */
document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.documentElement.classList.contains("keys-off")) return;
  const row = event.target.closest?.("[data-visit]");
  if (!row || event.target.matches("input, select, textarea")) return;
  if (event.key === "Enter") return;
  const button = row.querySelector(`[data-row-key="${CSS.escape(event.key)}"]`);
  if (!button) return;
  event.preventDefault();
  button.click();
});
