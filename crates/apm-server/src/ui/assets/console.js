// The SQL console: Ctrl+Enter runs, names of views, columns and functions are completed, and what ran is kept in this
// browser, never on the server.
const KEY = "sql-history",
  MOST = 30,
  LONGEST = 20000;

const WORDS = [
  "SELECT FROM WHERE GROUP ORDER BY LIMIT OFFSET HAVING JOIN LEFT ON AS AND OR NOT IN IS NULL LIKE BETWEEN",
  "CASE WHEN THEN ELSE END DISTINCT UNION WITH DESC ASC",
  "count sum avg min max round coalesce strftime substr length total group_concat",
].flatMap((line) => line.split(" "));

function stored() {
  try {
    const list = JSON.parse(localStorage.getItem(KEY));
    return Array.isArray(list) ? list.filter((text) => typeof text === "string") : [];
  } catch {
    return [];
  }
}

function store(list) {
  try {
    localStorage.setItem(KEY, JSON.stringify(list.slice(0, MOST)));
  } catch {
    /* private windows keep nothing */
  }
}

function remember(text) {
  if (!text.trim() || text.length > LONGEST) return;
  store([text, ...stored().filter((known) => known !== text)]);
}

function insert(field, word, replaced = 0) {
  const at = field.selectionStart - replaced;
  field.setRangeText(word, at, field.selectionEnd, "end");
  field.focus();
}

function history(panel, field) {
  const list = stored();
  panel.hidden = !list.length;
  const rows = list.map((text) => {
    const row = document.createElement("li"),
      link = document.createElement("a"),
      url = new URL(location.href);
    url.searchParams.set("sql", text);
    link.href = url;
    link.className = "grow";
    link.textContent = text.replace(/\s+/g, " ").slice(0, 120);
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      event.stopPropagation();
      field.value = text;
      field.focus();
    });
    row.append(link);
    return row;
  });
  panel.querySelector("ul").replaceChildren(...rows);
}

class Completion {
  constructor(field, words) {
    this.field = field;
    this.words = [...new Set([...words, ...WORDS])];
    const label = field.closest("label");
    label.classList.add("sql-field");
    this.list = document.createElement("ul");
    Object.assign(this.list, { id: "sql-words", className: "sql-words", hidden: true });
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Completions");
    label.after(this.list);
    for (const [name, value] of [
      ["aria-autocomplete", "list"],
      ["aria-controls", "sql-words"],
      ["aria-label", "SQL"],
    ])
      field.setAttribute(name, value);
    field.addEventListener("input", () => this.show());
    field.addEventListener("blur", () => this.close());
    this.list.addEventListener("mousedown", (event) => {
      event.preventDefault();
      const item = event.target.closest("li");
      if (item) this.take(item);
    });
  }

  get prefix() {
    return /[A-Za-z_]\w*$/.exec(this.field.value.slice(0, this.field.selectionStart))?.[0] ?? "";
  }

  show() {
    const prefix = this.prefix.toLowerCase();
    const found =
      prefix.length < 2
        ? []
        : this.words.filter((word) => word.toLowerCase().startsWith(prefix) && word.toLowerCase() !== prefix);
    const items = found.slice(0, 8).map((word, at) => {
      const item = document.createElement("li");
      item.id = `sql-word-${at}`;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", "false");
      item.textContent = word;
      return item;
    });
    this.list.replaceChildren(...items);
    this.list.hidden = !items.length;
    this.field.removeAttribute("aria-activedescendant");
  }

  close() {
    this.list.hidden = true;
    this.list.replaceChildren();
    this.field.removeAttribute("aria-activedescendant");
  }

  mark(by) {
    const items = [...this.list.children],
      at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
    items[at]?.setAttribute("aria-selected", "false");
    const next = items[at < 0 ? (by > 0 ? 0 : items.length - 1) : (at + by + items.length) % items.length];
    next.setAttribute("aria-selected", "true");
    this.field.setAttribute("aria-activedescendant", next.id);
  }

  take(item) {
    insert(this.field, item.textContent, this.prefix.length);
    this.close();
  }

  // Whether the key was for the list. Without a choice Enter and Tab do what they always do.
  key(event) {
    if (this.list.hidden) return false;
    const chosen = this.list.querySelector('[aria-selected="true"]');
    if (event.key === "ArrowDown") this.mark(1);
    else if (event.key === "ArrowUp") this.mark(-1);
    else if ((event.key === "Enter" || event.key === "Tab") && chosen) this.take(chosen);
    else if (event.key === "Escape") this.close();
    else return false;
    return true;
  }
}

function start(form) {
  const field = form.querySelector("textarea"),
    panel = document.getElementById("sql-history"),
    words = [...document.querySelectorAll("[data-word]")].map((word) => word.dataset.word);
  const completion = new Completion(field, words);
  form.addEventListener("submit", () => remember(field.value));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    else if (!completion.key(event)) return;
    event.preventDefault();
    event.stopPropagation();
  });
  for (const word of document.querySelectorAll("li [data-word]")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", title: "Insert" });
    word.replaceWith(button);
    button.append(word);
    button.addEventListener("click", () => insert(field, word.dataset.word));
  }
  panel.querySelector("[data-clear]").addEventListener("click", () => {
    store([]);
    history(panel, field);
  });
  history(panel, field);
}

export function init(root) {
  const form = root.querySelector("#sql-form");
  if (!form || form.dataset.ready) return;
  form.dataset.ready = "1";
  start(form);
}
