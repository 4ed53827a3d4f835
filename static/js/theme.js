// Light, dark, or as the system says. The cookie lets the server render the choice, so nothing flashes.
import { each } from "./dom.js";

each("[data-theme-choice]", (choice) => {
  const buttons = [...choice.querySelectorAll("[data-theme-value]")];
  const show = () => {
    const theme = document.documentElement.dataset.theme ?? "";
    buttons.forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.themeValue === theme)));
  };
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const theme = button.dataset.themeValue;
      if (theme) document.documentElement.dataset.theme = theme;
      else delete document.documentElement.dataset.theme;
      document.cookie = `theme=${theme}; path=/; max-age=${theme ? 31536000 : 0}; samesite=lax`;
      show();
    });
  }
  choice.hidden = false;
  show();
});
