// The behaviour of every waterfall, however its rows come: keys, focus, a click that opens details, and zoom on the
// ruler. Rows are a flat list; `aria-level` says who stands below whom.
import { show } from "./swap.js";
import { Zoom } from "./zoom.js";

// The durations that `> 5 ms` looks for.
export const longer = (text) => {
  const found = text.match(/^>\s*([\d.]+)\s*(µs|μs|us|ms|s|min|m|h)?$/);
  return found
    ? Number(found[1]) * { µs: 1, μs: 1, us: 1, ms: 1e3, s: 1e6, min: 6e7, m: 6e7, h: 3.6e9 }[found[2] ?? "ms"]
    : null;
};

export class Treegrid {
  constructor(table) {
    this.table = table;
    this.zoom = new Zoom(table);
    table.addEventListener("click", (event) => this.click(event));
    table.addEventListener("keydown", (event) => this.key(event));
    this.find = document.querySelector("#find");
    this.hits = document.querySelector("#hits");
    let waiting = 0;
    this.find?.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => this.search(), this.patience);
    });
    this.find?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      if (waiting) {
        clearTimeout(waiting);
        waiting = 0;
      }
      this.nextHit(event.shiftKey);
    });
    this.hits?.addEventListener("click", (event) => {
      const link = event.target.closest("a[rel]");
      if (!link) return;
      event.preventDefault();
      this.nextHit(link.rel === "prev");
    });
  }

  // Milliseconds from a letter to the search.
  get patience() {
    return 0;
  }

  // The number of the hit that is shown, and buttons that lead on.
  count(hit, all) {
    if (!this.hits) return;
    const number = (n) => n.toLocaleString("en"),
      words = all ? (hit ? `${number(hit)} of ${number(all)}` : `${number(all)} match`) : "no match";
    const button = (rel, text) =>
      Object.assign(document.createElement("a"), { className: "btn btn--small", rel, href: "#wf", textContent: text });
    this.hits.replaceChildren(words, ...(all > 1 ? [button("prev", "Previous"), button("next", "Next")] : []));
  }

  // A row that was put into the table.
  prepare(row) {
    // One row is in the tab order, which the arrow keys lead on from; without a script each name is.
    row.querySelector("a.label")?.setAttribute("tabindex", "-1");
  }

  click(event) {
    const row = event.target.closest("tbody tr");
    if (
      !row ||
      event.defaultPrevented ||
      event.button ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    if (event.target.closest(".twisty") && row.hasAttribute("aria-expanded")) {
      event.preventDefault();
      return this.fold(row, row.getAttribute("aria-expanded") === "false");
    }
    if (event.target.closest("a")) return this.focus(row);
    if (!getSelection().isCollapsed) return;
    this.focus(row);
    this.open(row);
  }

  open(row) {
    const link = row.querySelector("a.label");
    if (link) show(link.href, { focus: `#${CSS.escape(row.id)}` });
    else if (row.hasAttribute("aria-expanded")) this.fold(row, row.getAttribute("aria-expanded") === "false");
  }

  focus(row) {
    if (!row) return;
    for (const other of this.table.querySelectorAll('tbody tr[tabindex="0"]')) other.tabIndex = -1;
    row.tabIndex = 0;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const row = event.target.closest("tbody tr");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const open = row.getAttribute("aria-expanded");
    switch (event.key) {
      case "ArrowDown":
        this.step(row, 1);
        break;
      case "ArrowUp":
        this.step(row, -1);
        break;
      case "Home":
        this.end(false);
        break;
      case "End":
        this.end(true);
        break;
      case "ArrowRight":
        if (open === "false") this.fold(row, true);
        else if (open === "true") this.step(row, 1);
        break;
      case "ArrowLeft":
        if (open === "true") this.fold(row, false);
        else this.up(row);
        break;
      case "*":
        this.unfold(row);
        break;
      case "Enter":
      case " ":
        this.open(row);
        break;
      case "c":
        this.table.classList.toggle("nocrit");
        break;
      case "e":
        this.failure(row);
        break;
      case "Escape": {
        const close = document.querySelector("#flyout [data-close]");
        if (!close) return;
        show(close.href, { focus: `#${CSS.escape(row.id)}` });
        break;
      }
      default:
        return;
    }
    event.preventDefault();
  }
}
