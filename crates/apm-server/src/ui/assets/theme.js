// The theme switch, and the reader's time zone: both kept in cookies, so that the server renders right at once.

import { base } from "./base.js";

// The path is the one that the server gives its cookies: two of one name and different paths would be sent both.
const path = base.slice(0, -1) || "/";
const remember = (name, value) => {
  document.cookie = `${name}=${encodeURIComponent(value)};path=${path};max-age=31536000;samesite=lax`;
};

// Two names of one zone, such as UTC and Etc/UTC, are the same.
const isSame = (zone, other) => {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: other }).resolvedOptions().timeZone === zone;
  } catch {
    return false;
  }
};

export function init() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const known = () => document.cookie.split("; ").some((cookie) => cookie.startsWith("tz="));
  const isFirst = zone && !known();
  if (zone) remember("tz", zone);
  // The first page was written in the zone of the server: it is written again in that of the reader.
  if (isFirst && known() && !isSame(zone, document.documentElement.dataset.zone)) location.reload();
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
