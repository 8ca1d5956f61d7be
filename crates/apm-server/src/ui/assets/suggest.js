// Suggestions under the query bar: fields, then values with how often the newest events have them. Without this module
// the input's own list offers names. Listens on the document, since the header is replaced as a whole.

import { base } from "./base.js";

let timer = 0,
  request = null;

const bar = (event) => (event.target.matches?.("#q[data-suggest]") ? event.target : null);
const list = () => document.getElementById("q-list");
const chosen = () => list()?.querySelector('[aria-selected="true"]');

function close(input) {
  clearTimeout(timer);
  request?.abort();
  list()?.remove();
  input?.setAttribute("aria-expanded", "false");
  input?.removeAttribute("aria-activedescendant");
}

async function ask(input) {
  request?.abort();
  const own = (request = new AbortController());
  const here = new URLSearchParams(location.search),
    url = new URL(base + "suggest", location.href);
  for (const key of ["from", "to", "env"]) if (here.get(key)) url.searchParams.set(key, here.get(key));
  url.searchParams.set("on", input.dataset.suggest);
  url.searchParams.set("text", input.value.slice(0, input.selectionEnd));
  try {
    const answer = await fetch(url, { signal: own.signal });
    if (!answer.ok) return close(input);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#q-list");
    if (own.signal.aborted || document.activeElement !== input) return;
    list()?.remove();
    if (!fresh?.children.length) return close(input);
    input.parentElement.append(fresh);
    input.setAttribute("aria-expanded", "true");
  } catch {
    /* a newer question took its place, or the server is gone */
  }
}

function mark(input, item) {
  chosen()?.setAttribute("aria-selected", "false");
  if (!item) return input.removeAttribute("aria-activedescendant");
  item.setAttribute("aria-selected", "true");
  item.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-activedescendant", item.id);
}

function take(input, item) {
  const rest = input.value.slice(input.selectionEnd).replace(/^"/, ""),
    text = item.dataset.becomes;
  input.value = text + rest.trimStart();
  input.setSelectionRange(text.length, text.length);
  close(input);
  if (text.endsWith(": ")) ask(input);
}

export function init() {
  document.addEventListener("focusin", (event) => {
    const input = bar(event);
    if (!input) return;
    input.removeAttribute("list");
    for (const [name, value] of [
      ["role", "combobox"],
      ["aria-autocomplete", "list"],
      ["aria-controls", "q-list"],
      ["aria-expanded", "false"],
    ])
      input.setAttribute(name, value);
    ask(input);
  });
  document.addEventListener("focusout", (event) => {
    const input = bar(event);
    if (input) close(input);
  });
  document.addEventListener("input", (event) => {
    const input = bar(event);
    if (!input) return;
    clearTimeout(timer);
    // An answer to an older text would be taken for one to this.
    request?.abort();
    // The list that is shown belongs to an older text until the answer comes: it stays, so that nothing flickers, but
    // cannot be taken.
    list()?.setAttribute("aria-busy", "true");
    mark(input, null);
    timer = setTimeout(() => ask(input), 120);
  });
  // Before the form or the page's own keys see them.
  document.addEventListener(
    "keydown",
    (event) => {
      const input = bar(event),
        items = list()?.getAttribute("aria-busy") ? [] : [...(list()?.children ?? [])];
      if (!input || !items.length) return;
      const at = items.indexOf(chosen());
      if (event.key === "ArrowDown") mark(input, items[(at + 1) % items.length]);
      else if (event.key === "ArrowUp") mark(input, items[(at <= 0 ? items.length : at) - 1]);
      else if ((event.key === "Enter" || event.key === "Tab") && at >= 0) take(input, items[at]);
      else if (event.key === "Escape") close(input);
      else return;
      event.preventDefault();
      event.stopPropagation();
    },
    true,
  );
  document.addEventListener("submit", (event) => {
    if (event.target.matches(".query")) close(event.target.querySelector("#q"));
  });
  document.addEventListener("mousedown", (event) => {
    const item = event.target.closest?.("#q-list [data-becomes]"),
      input = document.querySelector("#q");
    if (!item) return;
    event.preventDefault();
    if (item.parentElement.getAttribute("aria-busy")) return;
    take(input, item);
  });
}
