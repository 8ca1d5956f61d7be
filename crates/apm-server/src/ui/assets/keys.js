// Keys that work on every page: `/` filters, `g` and a letter leads to a page, `?` lists the keys, Esc closes.

import { base } from "./base.js";

const PAGES = { s: "services", t: "traces", e: "errors", q: "queries", d: "discover", l: "live" };
let prefix = 0;

const typing = (element) => element?.matches?.("input, textarea, select, [contenteditable]");

function go(page) {
  // The navigation's own links keep range and environment.
  const link = [...document.querySelectorAll(".nav a")].find((a) => a.pathname === base + page);
  if (link) location.assign(link.href);
}

export function init() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const menu = document.querySelector("details.menu[open]");
    if (event.key === "Escape") {
      if (menu) {
        menu.open = false;
        menu.querySelector("summary").focus();
        event.preventDefault();
      } else if (typing(document.activeElement)) document.activeElement.blur();
      return;
    }
    if (typing(event.target)) return;
    if (Date.now() - prefix < 1500 && PAGES[event.key]) {
      prefix = 0;
      event.preventDefault();
      return go(PAGES[event.key]);
    }
    prefix = 0;
    if (event.key === "g") {
      prefix = Date.now();
      return;
    }
    if (event.key === "/") {
      const find = document.querySelector("#wf")?.contains(document.activeElement)
        ? document.querySelector("#find")
        : null;
      const field = find ?? document.querySelector("#q");
      if (field) {
        event.preventDefault();
        field.focus();
        field.select();
      }
    } else if (event.key === "?") {
      const help = document.querySelector("[data-help]")?.parentElement;
      if (help) {
        event.preventDefault();
        help.open = !help.open;
      }
    } else if (menu) {
      const choice = menu.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
      if (choice) {
        event.preventDefault();
        choice.click();
      }
    }
  });
  // One menu at a time; a click elsewhere closes it.
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]"))
      if (!menu.contains(event.target)) menu.open = false;
  });
}
