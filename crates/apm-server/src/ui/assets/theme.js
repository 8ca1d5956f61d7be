// The theme switch, and the reader's time zone: both kept in cookies, so that the server renders right at once.

import { base } from "./base.js";

// The path is the one that the server gives its cookies: two of one name and different paths would be sent both.
const path = base.slice(0, -1) || "/";
const remember = (name, value) => {
  document.cookie = `${name}=${encodeURIComponent(value)};path=${path};max-age=31536000;samesite=lax`;
};

export function init() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) remember("tz", zone);
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest?.("[data-theme-toggle]");
    if (!toggle) return;
    event.preventDefault();
    const root = document.documentElement;
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    remember("theme", root.dataset.theme);
  });
}
