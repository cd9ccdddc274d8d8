/* Recovery codes: to paper or to the clipboard. */
document.querySelector("[data-print]")?.addEventListener("click", () => window.print());
document.querySelector("[data-copy]")?.addEventListener("click", async (event) => {
  const list = document.getElementById(event.currentTarget.dataset.copy);
  const said = document.querySelector("[data-copied]");
  try {
    await navigator.clipboard.writeText([...list.querySelectorAll("code")].map((code) => code.textContent).join("\n"));
    said.textContent = "Copied. Clear the clipboard when they are in their place.";
  } catch {
    said.textContent = "This browser does not let us copy. Select them and copy, or print.";
  }
});
