/* Runs before the first paint: the chosen theme, the folded rail, and that there is JavaScript. */
(function () {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const theme = localStorage.getItem("chairside.theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("chairside.rail") === "folded") root.dataset.rail = "folded";
  } catch { /* Storage is closed to us; the system's theme will do. */ }
})();
