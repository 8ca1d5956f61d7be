// The waterfall's keys, folding, search, and zoom on its ruler. Rows are a flat list; `aria-level` says who stands below whom.
import { announce, show } from "./swap.js";

const FINDS_HIDDEN = "onbeforematch" in window;
// The height of a row, as in the style sheet.
const ROW = 28;

class Waterfall {
  constructor(table) {
    this.table = table;
    this.rows = [...table.tBodies].flatMap((group) => [...group.rows]);
    this.place = new Map(this.rows.map((row, i) => [row, i]));
    // For each row its level, and the row that it stands below.
    this.levels = this.rows.map((row) => Number(row.getAttribute("aria-level")));
    this.above = [];
    const path = [];
    this.rows.forEach((row, i) => { path.length = this.levels[i] - 1; this.above.push(path.findLast((one) => one) ?? null); path.push(row); });
    for (const row of this.rows) {
      // One row is in the tab order, which the arrow keys lead on from; without this script each name is.
      row.querySelector("a.label")?.setAttribute("tabindex", "-1");
      if (row.hidden) this.show(row, false);
    }
    table.addEventListener("beforematch", (event) => this.reveal(event.target.closest("tr")));
    this.ruler = table.querySelector(".ruler");
    table.addEventListener("click", (event) => this.click(event));
    table.addEventListener("keydown", (event) => this.key(event));
    this.find = document.querySelector("#find");
    this.find?.closest("form, .query")?.removeAttribute("hidden");
    this.find?.addEventListener("input", () => this.search());
    this.find?.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.nextHit(event.shiftKey); } });
    document.querySelector("[data-crit]")?.addEventListener("click", () => table.classList.toggle("nocrit"));
    if (this.ruler) this.zoomable();
    const chosen = this.rows.find((row) => row.getAttribute("aria-selected") === "true");
    chosen?.scrollIntoView({ block: "nearest" });
  }

  level(row) { return this.levels[this.place.get(row)]; }
  parent(row) { return this.above[this.place.get(row)]; }

  below(row) {
    const start = this.place.get(row) + 1;
    let end = start;
    while (end < this.rows.length && this.levels[end] > this.levels[start - 1]) end++;
    return this.rows.slice(start, end);
  }

  // The browser's own find sees folded rows too, where it can, and unfolds what it finds.
  show(part, seen) {
    if (seen) part.removeAttribute("hidden"); else part.setAttribute("hidden", FINDS_HIDDEN ? "until-found" : "");
  }

  // How tall the groups are of which nothing is laid out as yet.
  measure(rows) {
    for (const group of new Set(rows.map((row) => row.parentElement))) {
      const seen = [...group.rows].filter((row) => !row.hasAttribute("hidden")).length;
      group.style.containIntrinsicBlockSize = `${seen * ROW}px`;
      this.show(group, seen > 0);
    }
  }

  fold(row, open) {
    if (!row.hasAttribute("aria-expanded")) return;
    row.setAttribute("aria-expanded", open);
    // Rows below a row that stays folded stay hidden.
    let closed = Infinity;
    const below = this.below(row);
    for (const child of below) {
      const level = this.level(child);
      if (level <= closed) closed = Infinity;
      this.show(child, open && level <= closed);
      if (open && closed === Infinity && child.getAttribute("aria-expanded") === "false") closed = level;
    }
    this.measure(below);
  }

  click(event) {
    const row = event.target.closest("tbody tr");
    if (!row || event.defaultPrevented) return;
    if (event.target.closest(".twisty") && row.hasAttribute("aria-expanded")) return this.fold(row, row.getAttribute("aria-expanded") === "false");
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
    for (const other of this.rows) if (other.tabIndex === 0) other.tabIndex = -1;
    row.tabIndex = 0;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    const row = event.target.closest("tbody tr");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const seen = this.rows.filter((other) => !other.hasAttribute("hidden")), at = seen.indexOf(row);
    const open = row.getAttribute("aria-expanded");
    switch (event.key) {
      case "ArrowDown": this.focus(seen[at + 1]); break;
      case "ArrowUp": this.focus(seen[at - 1]); break;
      case "Home": this.focus(seen[0]); break;
      case "End": this.focus(seen[seen.length - 1]); break;
      case "ArrowRight": if (open === "false") this.fold(row, true); else if (open === "true") this.focus(seen[at + 1]); break;
      case "ArrowLeft": if (open === "true") this.fold(row, false); else this.focus(this.parent(row)); break;
      case "*": for (const one of [row, ...this.below(row)]) this.fold(one, true); break;
      case "Enter": case " ": this.open(row); break;
      case "c": this.table.classList.toggle("nocrit"); break;
      case "e": this.focus(this.reveal(this.nextFailed(row))); break;
      case "Escape": { const close = document.querySelector("#flyout [data-close]"); if (!close) return; show(close.href, { focus: `#${CSS.escape(row.id)}` }); break; }
      default: return;
    }
    event.preventDefault();
  }

  nextFailed(row) {
    const at = this.rows.indexOf(row);
    const next = [...this.rows.slice(at + 1), ...this.rows.slice(0, at + 1)].find((other) => other.classList.contains("failed"));
    if (!next) announce("Nothing failed in this trace");
    return next;
  }

  reveal(row) {
    for (let above = row && this.parent(row); above; above = this.parent(above)) if (above.getAttribute("aria-expanded") === "false") this.fold(above, true);
    return row;
  }

  // `select`, `people`, or `> 5ms`: rows that match are marked, the others fade.
  search() {
    const text = this.find.value.trim().toLowerCase();
    const longer = text.match(/^>\s*([\d.]+)\s*(µs|us|ms|s)?$/);
    const least = longer ? Number(longer[1]) * { "µs": 1, us: 1, ms: 1e3, s: 1e6 }[longer[2] ?? "ms"] : 0;
    this.hits = [];
    for (const row of this.rows) {
      const hit = text !== "" && (longer ? Number(row.dataset.us) > least : row.cells[0].textContent.toLowerCase().includes(text));
      if (hit) this.hits.push(row);
      row.classList.toggle("hit", hit);
      row.classList.toggle("dimmed", text !== "" && !hit);
    }
    this.hits.forEach((row) => this.reveal(row));
    this.hits[0]?.scrollIntoView({ block: "nearest" });
    if (text) announce(`${this.hits.length} of ${this.rows.length} rows match`);
  }

  nextHit(back) {
    if (!this.hits?.length) return;
    this.hit = ((this.hit ?? (back ? 0 : -1)) + (back ? -1 : 1) + this.hits.length) % this.hits.length;
    this.hits[this.hit].scrollIntoView({ block: "center" });
  }

  // Bars have percentage coordinates; zooming puts them into a wider drawing of which a part is seen.
  zoomable() {
    const cell = this.ruler.closest("th");
    this.window = [0, 1];
    let start = null, mark = null;
    const share = (event) => { const box = this.ruler.getBoundingClientRect(); return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)); };
    cell.classList.add("zoomable");
    cell.addEventListener("pointerdown", (event) => {
      start = share(event);
      cell.setPointerCapture(event.pointerId);
      mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      mark.setAttribute("class", "drag");
      mark.setAttribute("height", 29);
      this.ruler.append(mark);
      event.preventDefault();
    });
    cell.addEventListener("pointermove", (event) => {
      if (start === null) return;
      const end = share(event);
      mark.setAttribute("x", `${Math.min(start, end) * 100}%`);
      mark.setAttribute("width", `${Math.abs(end - start) * 100}%`);
    });
    cell.addEventListener("pointerup", (event) => {
      if (start === null) return;
      const [a, b] = [Math.min(start, share(event)), Math.max(start, share(event))];
      start = null;
      mark.remove();
      const [low, high] = this.window;
      if (b - a > 0.01) this.zoom(low + (high - low) * a, low + (high - low) * b);
    });
    cell.addEventListener("dblclick", () => this.zoom(0, 1));
  }

  zoom(low, high) {
    if (high - low < 1e-6) return;
    this.window = [low, high];
    const width = 1 / (high - low);
    for (const bars of this.table.querySelectorAll("tbody .bars")) {
      let inner = bars.firstElementChild;
      if (inner?.localName !== "svg") {
        inner = document.createElementNS("http://www.w3.org/2000/svg", "svg");
        inner.setAttribute("height", 28);
        inner.append(...bars.childNodes);
        bars.append(inner);
      }
      inner.setAttribute("x", `${-low * width * 100}%`);
      inner.setAttribute("width", `${width * 100}%`);
    }
    this.table.classList.toggle("zoomed", width > 1);
    this.label(low, high);
  }

  // The ruler says where the part begins, and how long it is.
  label(low, high) {
    const from = Number(this.ruler.dataset.from), length = Number(this.ruler.dataset.to) - from;
    const text = (us) => us < 1e3 ? `${us.toFixed(0)}\u202fµs` : us < 1e6 ? `${(us / 1e3).toPrecision(3)}\u202fms` : `${(us / 1e6).toPrecision(3)}\u202fs`;
    if (!this.words) this.words = [...this.ruler.childNodes];
    if (low === 0 && high === 1) return this.ruler.replaceChildren(...this.words);
    const place = (x, kind, words) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", "text");
      element.setAttribute("class", kind);
      element.setAttribute("x", x);
      element.setAttribute("y", 19);
      element.textContent = words;
      return element;
    };
    this.ruler.replaceChildren(place("0%", "start", text(length * low)), place("50%", "", "double-click: all"), place("100%", "end", text(length * high)));
  }
}

export function init(root) {
  const table = root.querySelector?.("#wf");
  if (table && !table.dataset.ready) { table.dataset.ready = "1"; new Waterfall(table); }
}
