/* A row with data-href opens whole. Its own links, buttons and selected text come first. */
document.addEventListener("click", (event) => {
  const row = event.target.closest?.("[data-href]");
  if (!row || event.defaultPrevented || event.target.closest("a, button, input, select, textarea, label, summary")) return;
  if (String(window.getSelection()).length) return;
  if (event.ctrlKey || event.metaKey) window.open(row.dataset.href, "_blank", "noopener");
  else window.location.assign(row.dataset.href);
});

document.addEventListener("auxclick", (event) => {
  const row = event.button === 1 && event.target.closest?.("[data-href]");
  if (row && !event.target.closest("a, button")) window.open(row.dataset.href, "_blank", "noopener");
});
