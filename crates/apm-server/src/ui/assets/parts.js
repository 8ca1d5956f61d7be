// A waterfall of which a part of the rows is in the document. The others are asked for as the reader scrolls, walks by
// keys or searches; where they are missing stands an empty block of their height. The server folds, unfolds and finds:
// it knows all rows.
import { announce } from "./swap.js";
import { Treegrid } from "./treegrid.js";

// The height of a row, as in the style sheet.
const ROW = 28;
// Rows of one answer, at most, and rows that are held.
const ANSWER = 200,
  HELD = 1_200;
// Pixels around the window in which rows are to be there.
const NEAR = 900;
// Lines that may be turned: as many as the server reads.
const TURNED = 100;

// The address whose rows have been gone to.
let led = "";

export class Parts extends Treegrid {
  constructor(table) {
    super(table);
    this.address = new URL(table.dataset.rows, location.href);
    this.asked = 0;
    this.watch = new IntersectionObserver(
      (seen) => {
        if (seen.some((one) => one.isIntersecting)) this.fill();
      },
      { rootMargin: `${NEAR}px 0px` },
    );
    const bodies = [...table.tBodies];
    const { first, total, turned } = table.dataset;
    this.take({ first: Number(first), total: Number(total), turned, rows: bodies.flatMap((body) => [...body.rows]) });
    document.querySelector("#wf-pages")?.setAttribute("hidden", "");
    const chosen = table.querySelector('tr[aria-selected="true"], tr.here');
    if (chosen) chosen.scrollIntoView({ block: "center" });
    else if (Number(first) > 0) this.lead(first);
    table.classList.toggle("finding", Boolean(this.find?.value.trim()));
  }

  // Goes to the row that the address leads to, as a slice of the minimap does: once, for readers then scroll on. The
  // browser goes to the table itself, at the end of loading.
  lead(first) {
    if (led === location.href) return;
    led = location.href;
    const go = () => this.table.querySelector(`tr[data-row="${first}"]`)?.scrollIntoView();
    if (document.readyState === "complete") go();
    else addEventListener("load", () => requestAnimationFrame(go), { once: true });
  }

  get patience() {
    return 200;
  }

  // All rows anew: those of an answer, and empty blocks for the others.
  take({ first, total, turned, rows }) {
    this.total = total;
    this.turned = turned ? turned.split(",") : [];
    this.watch.disconnect();
    for (const body of [...this.table.tBodies]) body.remove();
    this.table.append(...this.blocks(0, first), this.body(first, rows), ...this.blocks(first + rows.length, total));
    this.table.setAttribute("aria-rowcount", total + 1);
    this.look();
  }

  body(first, rows) {
    const body = document.createElement("tbody");
    body.setAttribute("role", "rowgroup");
    for (const row of rows) {
      this.prepare(row);
      // Only the answer to a search says which hit the reader is at.
      if (this.here && row.dataset.line === this.here) row.classList.add("here");
    }
    body.append(...rows);
    Object.assign(body.dataset, { from: first, to: first + rows.length });
    this.zoom.apply(body);
    return body;
  }

  // The empty block of rows that are not there.
  blocks(from, to) {
    if (from >= to) return [];
    const block = document.createElement("tbody");
    block.className = "missing";
    block.setAttribute("role", "presentation");
    block.style.blockSize = `${(to - from) * ROW}px`;
    Object.assign(block.dataset, { from, to });
    return [block];
  }

  look() {
    for (const block of this.table.querySelectorAll("tbody.missing")) {
      this.watch.unobserve(block);
      this.watch.observe(block);
    }
  }

  // Asks for the rows that would be near the window.
  async fill() {
    if (this.filling) return;
    this.filling = true;
    try {
      for (let block = this.nearest(); block; block = this.nearest()) {
        const from = Number(block.dataset.from),
          to = Number(block.dataset.to);
        const top = Math.floor((-block.getBoundingClientRect().top - NEAR) / ROW);
        // A block that ends soon is filled to its end.
        const first = Math.max(from, Math.min(from + Math.max(0, top), to - ANSWER));
        if (!(await this.load(block, first))) break;
      }
    } finally {
      this.filling = false;
    }
    this.look();
  }

  nearest() {
    return [...this.table.querySelectorAll("tbody.missing")].find((block) => {
      const box = block.getBoundingClientRect();
      return box.bottom > -NEAR && box.top < innerHeight + NEAR;
    });
  }

  // Puts rows from `first` on into an empty block; false where that came to nothing.
  async load(block, first) {
    const asked = this.asked,
      from = Number(block.dataset.from),
      to = Number(block.dataset.to);
    const answer = await this.ask({ rows: first });
    if (!answer?.rows.length) return false;
    if (asked !== this.asked || !block.isConnected) return true;
    if (answer.total !== this.total) {
      this.take(answer);
      return true;
    }
    const rows = answer.rows.slice(0, to - answer.first);
    block.replaceWith(
      ...this.blocks(from, answer.first),
      this.body(answer.first, rows),
      ...this.blocks(answer.first + rows.length, to),
    );
    this.shed();
    return true;
  }

  // Lets go of rows far from the window, so that a walk through a large trace does not hold all of it.
  shed() {
    const bodies = [...this.table.querySelectorAll("tbody:not(.missing)")];
    let held = bodies.reduce((sum, body) => sum + body.rows.length, 0);
    const distance = (body) => {
      const box = body.getBoundingClientRect();
      return Math.max(-box.bottom, box.top - innerHeight, 0);
    };
    for (const body of bodies.sort((a, b) => distance(b) - distance(a))) {
      if (held <= HELD || distance(body) < NEAR) break;
      if (body.contains(document.activeElement)) continue;
      held -= body.rows.length;
      body.replaceWith(...this.blocks(Number(body.dataset.from), Number(body.dataset.to)));
    }
    for (const block of [...this.table.querySelectorAll("tbody.missing + tbody.missing")]) this.join(block);
    if (!this.table.querySelector('tbody tr[tabindex="0"]'))
      this.table.querySelector("tbody tr")?.setAttribute("tabindex", "0");
  }

  // Two empty blocks that follow each other are one.
  join(block) {
    const before = block.previousElementSibling;
    if (!before?.matches("tbody.missing")) return;
    const [one] = this.blocks(Number(before.dataset.from), Number(block.dataset.to));
    before.remove();
    block.replaceWith(one);
  }

  // Asks the server for rows; nothing where it does not answer.
  async ask(question) {
    const url = new URL(this.address);
    const item = new URL(location.href).searchParams.get("item"),
      find = this.find?.value.trim();
    const all = { turn: this.turned.join(","), find, item, ...question };
    for (const [key, value] of Object.entries(all))
      if (value !== "" && value !== null && value !== undefined) url.searchParams.set(key, value);
    try {
      const answer = await fetch(url, { headers: { "X-Fragment": "rows" } });
      if (!answer.ok) throw new Error(`${answer.status}`);
      const table = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("table");
      const { first, total, turned, hits, hit } = table?.dataset ?? {};
      if (total === undefined) throw new Error("no rows");
      return {
        first: Number(first),
        total: Number(total),
        turned,
        hits: Number(hits ?? 0),
        hit: Number(hit ?? 0),
        rows: [...table.rows],
      };
    } catch {
      announce("The rows could not be loaded");
      return null;
    }
  }

  // Asks a question whose answer replaces all rows; only the last one that was asked counts.
  async anew(question) {
    const asked = ++this.asked;
    const answer = await this.ask(question);
    if (!answer || asked !== this.asked) return null;
    this.take(answer);
    return answer;
  }

  at(place) {
    return this.table.querySelector(`tr[data-row="${place}"]`);
  }

  // Focuses the row at a place, which may have to be asked for.
  async go(place) {
    if (place < 0 || place >= this.total) return;
    const row = this.at(place);
    if (row) return this.focus(row);
    const block = [...this.table.querySelectorAll("tbody.missing")].find(
      (one) => place >= Number(one.dataset.from) && place < Number(one.dataset.to),
    );
    if (block && (await this.load(block, Math.max(Number(block.dataset.from), place - ANSWER / 2))))
      this.focus(this.at(place));
    this.look();
  }

  step(row, by) {
    return this.go(Number(row.dataset.row) + by);
  }
  end(last) {
    return this.go(last ? this.total - 1 : 0);
  }
  up(row) {
    if (row.dataset.up !== undefined) return this.go(Number(row.dataset.up));
  }

  turn(row) {
    const line = row.dataset.line;
    this.turned = this.turned.includes(line)
      ? this.turned.filter((one) => one !== line)
      : [...this.turned, line].slice(-TURNED);
  }

  async fold(row, open) {
    if (row.getAttribute("aria-expanded") === String(open)) return;
    this.turn(row);
    await this.around(row);
  }

  // Unfolds a row, and those below it that are in the document.
  async unfold(row) {
    const level = Number(row.getAttribute("aria-level"));
    const all = [...this.table.querySelectorAll("tbody tr")];
    for (const one of all.slice(all.indexOf(row))) {
      if (one !== row && Number(one.getAttribute("aria-level")) <= level) break;
      if (one.getAttribute("aria-expanded") === "false") this.turn(one);
    }
    await this.around(row);
  }

  // The rows around one anew; it stays where it is in the window.
  async around(row) {
    const line = row.dataset.line,
      top = row.getBoundingClientRect().top,
      place = Number(row.dataset.row);
    if (!(await this.anew({ rows: Math.max(0, place - ANSWER / 4) }))) return;
    const same = this.table.querySelector(`tr[data-line="${CSS.escape(line)}"]`);
    if (!same) return;
    scrollBy(0, same.getBoundingClientRect().top - top);
    this.focus(same);
  }

  async failure(row) {
    const answer = await this.anew({ find: "is:failed", near: row.dataset.line });
    if (!answer) return;
    const found = this.table.querySelector("tr.here");
    if (!this.find?.value.trim())
      for (const hit of this.table.querySelectorAll("tr.hit")) hit.classList.remove("hit", "here");
    if (found) this.focus(found);
    else {
      announce("Nothing failed in this trace");
      this.go(Number(row.dataset.row));
    }
  }

  async search() {
    const text = this.find.value.trim();
    this.table.classList.toggle("finding", text !== "");
    if (text === "") {
      this.said = this.here = null;
      this.hits?.replaceChildren();
      return this.anew({ rows: Number(this.table.querySelector("tr[data-row]")?.dataset.row ?? 0) });
    }
    await this.hitAt(1);
  }

  async hitAt(hit) {
    // Before the answer: the next key may come before it.
    if (this.said) this.said.hit = hit;
    this.here = null;
    const answer = await this.anew({ hit });
    if (!answer) return;
    this.said = { text: this.find.value.trim(), hit: answer.hit, all: answer.hits };
    this.here = this.table.querySelector("tr.here")?.dataset.line ?? null;
    this.count(answer.hit, answer.hits);
    announce(answer.hits ? `${answer.hits} items match` : "no match");
    this.table.querySelector("tr.here")?.scrollIntoView({ block: "center" });
  }

  nextHit(back) {
    const text = this.find?.value.trim();
    if (!text) return;
    // Enter may come before the search that the last letter began.
    if (this.said?.text !== text) return this.search();
    if (this.said.all) return this.hitAt(((this.said.hit - 1 + (back ? -1 : 1) + this.said.all) % this.said.all) + 1);
  }
}
