/* The choice of theme in the user menu, and the fold of the rail. Both are kept on this machine. */
import { attach, remember, remembered } from "./attach.js";

const root = document.documentElement;

function showChoice() {
  const chosen = root.dataset.theme || "system";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen));
  }
}

attach("[data-theme-choice]", (button) => {
  showChoice();
  button.addEventListener("click", () => {
    const choice = button.dataset.themeChoice;
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    remember("theme", choice === "system" ? null : choice);
    showChoice();
  });
});

attach("[data-rail-fold]", (button) => {
  button.setAttribute("aria-pressed", String(remembered("rail") === "folded"));
  button.addEventListener("click", () => {
    const fold = root.dataset.rail !== "folded";
    if (fold) root.dataset.rail = "folded";
    else delete root.dataset.rail;
    remember("rail", fold ? "folded" : null);
    button.setAttribute("aria-pressed", String(fold));
  });
});
