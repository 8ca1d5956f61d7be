// A waterfall of which every row is in the document: folding and search need no server.
import { announce } from "./swap.js";
import { Treegrid, longer } from "./treegrid.js";

const FINDS_HIDDEN = "onbeforematch" in window;
// The height of a row, as in the style sheet.
const ROW = 28;

export class Whole extends Treegrid {
  constructor(table) {
    super(table);
    this.rows = [...table.tBodies].flatMap((group) => [...group.rows]);
    this.place = new Map(this.rows.map((row, i) => [row, i]));
    // For each row its level, and the row that it stands below.
    this.levels = this.rows.map((row) => Number(row.getAttribute("aria-level")));
    this.above = [];
    const path = [];
    this.rows.forEach((row, i) => {
      path.length = this.levels[i] - 1;
      this.above.push(path.findLast((one) => one) ?? null);
      path.push(row);
    });
    for (const row of this.rows) {
      this.prepare(row);
      if (row.hidden) this.show(row, false);
    }
    table.addEventListener("beforematch", (event) => this.reveal(event.target.closest("tr")));
    const chosen = this.rows.find((row) => row.getAttribute("aria-selected") === "true");
    chosen?.scrollIntoView({ block: "nearest" });
    if (this.find?.value) this.search();
  }

  level(row) {
    return this.levels[this.place.get(row)];
  }
  parent(row) {
    return this.above[this.place.get(row)];
  }

  below(row) {
    const start = this.place.get(row) + 1;
    let end = start;
    while (end < this.rows.length && this.levels[end] > this.levels[start - 1]) end++;
    return this.rows.slice(start, end);
  }

  // The browser's own find sees folded rows too, where it can, and unfolds what it finds.
  show(part, seen) {
    if (seen) part.removeAttribute("hidden");
    else part.setAttribute("hidden", FINDS_HIDDEN ? "until-found" : "");
  }

  // The height of the groups of which nothing is laid out as yet.
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

  unfold(row) {
    for (const one of [row, ...this.below(row)]) this.fold(one, true);
  }

  // The seen row that is so many further.
  step(row, by) {
    const seen = this.rows.filter((other) => !other.hasAttribute("hidden"));
    this.focus(seen[seen.indexOf(row) + by]);
  }

  end(last) {
    const seen = this.rows.filter((other) => !other.hasAttribute("hidden"));
    this.focus(seen.at(last ? -1 : 0));
  }

  up(row) {
    this.focus(this.parent(row));
  }

  failure(row) {
    this.focus(this.reveal(this.nextFailed(row)));
  }

  nextFailed(row) {
    const at = this.rows.indexOf(row);
    const next = [...this.rows.slice(at + 1), ...this.rows.slice(0, at + 1)].find((other) =>
      other.classList.contains("failed"),
    );
    if (!next) announce("Nothing failed in this trace");
    return next;
  }

  reveal(row) {
    for (let above = row && this.parent(row); above; above = this.parent(above))
      if (above.getAttribute("aria-expanded") === "false") this.fold(above, true);
    return row;
  }

  // `select`, `people`, `> 5ms` or `is:failed`: rows that match are marked, the others fade.
  search() {
    const text = this.find.value.trim().toLowerCase();
    const least = longer(text);
    const matches = (row) =>
      text === "is:failed"
        ? row.matches(".failed, :has(.badge--bad)")
        : least === null
          ? row.cells[0].textContent.toLowerCase().includes(text)
          : Number(row.dataset.us) > least;
    this.found = [];
    for (const row of this.rows) {
      const hit = text !== "" && matches(row);
      if (hit) this.found.push(row);
      row.classList.toggle("hit", hit);
      row.classList.remove("here");
      row.classList.toggle("dimmed", text !== "" && !hit);
    }
    this.hit = -1;
    this.found.forEach((row) => this.reveal(row));
    this.found[0]?.scrollIntoView({ block: "nearest" });
    if (text) announce(`${this.found.length} of ${this.rows.length} rows match`);
    if (text) this.count(0, this.found.length);
    else this.hits?.replaceChildren();
  }

  nextHit(back) {
    if (!this.found?.length) return;
    this.found[this.hit]?.classList.remove("here");
    this.hit = (Math.max(this.hit, back ? 0 : -1) + (back ? -1 : 1) + this.found.length) % this.found.length;
    const row = this.found[this.hit];
    row.classList.add("here");
    row.scrollIntoView({ block: "center" });
    this.count(this.hit + 1, this.found.length);
  }
}
