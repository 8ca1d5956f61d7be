// Selecting a range of latency on the distribution: drag, click a bar, drag a handle, or use the arrow keys. The two
// number inputs beside it do the same without any of this.
import { show } from "./swap.js";

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class Brush {
  constructor(root) {
    this.body = root.querySelector(".chart-body");
    this.plot = root.querySelector(".chart-plot");
    this.from = Number(root.dataset.from);
    this.to = Number(root.dataset.to);
    this.log = root.dataset.scale === "log";
    this.bars = [...this.plot.querySelectorAll("rect[data-from]")].map((bar) => [
      Number(bar.dataset.from),
      Number(bar.dataset.to),
    ]);
    const url = new URL(location.href);
    const chosen = ["min_us", "max_us"].map((key) => url.searchParams.get(key));
    this.range = chosen.every(Boolean) ? chosen.map(Number) : null;
    this.body.tabIndex = 0;
    this.body.setAttribute("role", "group");
    this.body.setAttribute(
      "aria-label",
      "Latency range: left and right move it by a bar, with Shift they widen it, Escape clears it",
    );
    this.listen();
  }

  share(event) {
    const box = this.plot.getBoundingClientRect();
    return clamp((event.clientX - box.left) / box.width, 0, 1);
  }

  value(share) {
    return this.log ? this.from * (this.to / this.from) ** share : this.from + (this.to - this.from) * share;
  }

  place(value) {
    return this.log
      ? Math.log(value / this.from) / Math.log(this.to / this.from)
      : (value - this.from) / (this.to - this.from);
  }

  listen() {
    let start = null,
      edge = null;
    this.body.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      edge = event.target.closest?.("[data-edge]")?.dataset.edge ?? null;
      start = edge && this.range ? this.place(this.range[edge === "from" ? 1 : 0]) : this.share(event);
      this.body.setPointerCapture(event.pointerId);
      this.body.classList.add("dragging");
      event.preventDefault();
      this.body.focus({ preventScroll: true });
    });
    this.body.addEventListener("pointermove", (event) => {
      if (start !== null) this.draw(start, this.share(event));
    });
    this.body.addEventListener("pointerup", (event) => {
      if (start === null) return;
      const end = this.share(event),
        moved = Math.abs(end - start) > 0.004;
      const [low, high] = [Math.min(start, end), Math.max(start, end)];
      this.stop();
      if (moved) this.select(this.value(low), this.value(high));
      else if (!edge) this.bar(this.value(end));
      start = null;
    });
    this.body.addEventListener("pointercancel", () => {
      start = null;
      this.stop();
      // A drag that was broken off selects nothing: the band is that of the address again.
      if (this.range) this.draw(...this.range.map((value) => this.place(value)));
      else this.plot.querySelector(".band")?.remove();
    });
    this.body.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.range) {
        event.preventDefault();
        return this.clear();
      }
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (!by || !this.bars.length) return;
      event.preventDefault();
      this.step(by, event.shiftKey);
    });
  }

  stop() {
    this.body.classList.remove("dragging");
  }

  // Bars by number, so that the keys move by what is seen.
  step(by, widen) {
    const last = this.bars.length - 1;
    if (!this.range) return this.select(...this.bars[by > 0 ? 0 : last]);
    let first = this.bars.findIndex(([, to]) => to > this.range[0] + 0.5),
      end = this.bars.findLastIndex(([from]) => from < this.range[1] - 0.5);
    if (first < 0) first = last;
    if (end < 0) end = 0;
    if (widen) {
      if (by > 0) end = Math.min(last, end + 1);
      else first = Math.max(0, first - 1);
    } else {
      const shift = clamp(by, -first, last - end);
      first += shift;
      end += shift;
    }
    this.select(this.bars[first][0], this.bars[end][1]);
  }

  bar(value) {
    const hit = this.bars.find(([from, to]) => value >= from && value < to);
    if (hit) this.select(...hit);
  }

  draw(a, b) {
    const [low, high] = a < b ? [a, b] : [b, a];
    let band = this.plot.querySelector(".band");
    if (!band) {
      band = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      band.setAttribute("class", "band");
      band.setAttribute("y", 0);
      band.setAttribute("height", this.plot.getAttribute("height"));
      this.plot.prepend(band);
    }
    band.setAttribute("x", low * 1000);
    band.setAttribute("width", (high - low) * 1000);
  }

  select(low, high) {
    const url = new URL(location.href);
    url.searchParams.set("min_us", Math.max(0, Math.floor(low)));
    url.searchParams.set("max_us", Math.ceil(high));
    for (const key of ["sample", "item"]) url.searchParams.delete(key);
    this.go(url);
  }

  clear() {
    const url = new URL(location.href);
    for (const key of ["min_us", "max_us", "sample", "item"]) url.searchParams.delete(key);
    this.go(url);
  }

  go(url) {
    show(url, { focus: ".brushable .chart-body" });
  }
}

export function init(root) {
  for (const element of root.querySelectorAll(".brushable"))
    if (!element.dataset.ready) {
      element.dataset.ready = "1";
      new Brush(element);
    }
}
