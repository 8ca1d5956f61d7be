// Documents of Discover. A click opens a row where it stands, and the list holds still: what arrives is counted, and
// shown on demand. Heads of columns can be dragged; the arrows in them do the same by keyboard.
import { announce, settle, show } from "./swap.js";

// Time between two counts of what has arrived, ms.
const EVERY = 5_000;
let timer = 0;

// The part of the page at `url` that a script asks for.
async function part(url, name) {
  const answer = await fetch(url, { headers: { "X-Fragment": name } });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

class Documents {
  constructor(table) {
    this.table = table;
    table.addEventListener("click", (event) => this.click(event));
    for (const head of table.querySelectorAll("th[data-column]")) this.drag(head);
    clearInterval(timer);
    if (table.dataset.hold) timer = setInterval(() => this.count(), EVERY);
  }

  // The address of the page as it stands, with the list as it is.
  address() {
    const url = new URL(location.href);
    if (this.table.dataset.hold) url.searchParams.set("hold", this.table.dataset.hold);
    url.hash = "";
    return url;
  }

  async click(event) {
    const link = event.target.closest("a[data-seq]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    const row = link.closest("tr"),
      url = this.address();
    url.searchParams.delete("open");
    if (row.classList.contains("open")) {
      this.close();
      settle(url);
      return;
    }
    url.searchParams.set("open", link.dataset.seq);
    row.setAttribute("aria-busy", "true");
    try {
      const fresh = (await part(url, "flyout")).querySelector("tr.detail");
      if (!fresh) throw new Error("no document");
      this.close();
      row.after(fresh);
      this.turn(row, true);
      settle(url);
      announce("Document opened");
    } catch {
      show(url);
    } finally {
      row.removeAttribute("aria-busy");
    }
  }

  // Closes the open row. What stands below it in the window stays where it is.
  close() {
    for (const detail of this.table.querySelectorAll("tr.detail")) {
      const above = detail.getBoundingClientRect();
      const height = above.bottom < 0 ? above.height : 0;
      this.turn(detail.previousElementSibling, false);
      detail.remove();
      if (height) scrollBy(0, -height);
    }
  }

  turn(row, open) {
    row?.classList.toggle("open", open);
    row?.querySelector("a[data-seq]")?.setAttribute("aria-expanded", open);
    const sign = row?.querySelector(".twisty use");
    sign?.setAttribute("href", sign.getAttribute("href").replace(/#.*/, open ? "#i-down" : "#i-right"));
  }

  async count() {
    if (!this.table.isConnected) return clearInterval(timer);
    const place = document.querySelector("[data-newer]");
    if (document.hidden || !place || place.contains(document.activeElement)) return;
    try {
      const fresh = (await part(this.address(), "rows")).querySelector("a");
      if (fresh?.textContent !== place.textContent.trim()) place.replaceChildren(...(fresh ? [fresh] : []));
    } catch {
      // The next count may succeed.
    }
  }

  drag(head) {
    head.draggable = true;
    head.addEventListener("dragstart", (event) => {
      event.dataTransfer.setData("text/x-column", head.dataset.column);
      event.dataTransfer.effectAllowed = "move";
    });
    head.addEventListener("dragover", (event) => {
      if (!event.dataTransfer.types.includes("text/x-column")) return;
      event.preventDefault();
      head.classList.add("drop");
    });
    for (const end of ["dragleave", "drop", "dragend"]) head.addEventListener(end, () => head.classList.remove("drop"));
    head.addEventListener("drop", (event) => {
      event.preventDefault();
      this.move(event.dataTransfer.getData("text/x-column"), head.dataset.column);
    });
  }

  // Puts a column where another stands.
  move(name, to) {
    const columns = this.table.dataset.cols.split(",");
    const place = columns.indexOf(to);
    if (!columns.includes(name) || name === to) return;
    const others = columns.filter((column) => column !== name);
    others.splice(place, 0, name);
    const url = this.address();
    url.searchParams.set("cols", others.join(","));
    show(url);
  }
}

export function init(root) {
  for (const table of root.querySelectorAll("table[data-open]")) {
    if (table.dataset.ready) continue;
    table.dataset.ready = "1";
    new Documents(table);
  }
}
