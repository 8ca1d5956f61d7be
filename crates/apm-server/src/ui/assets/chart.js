// Charts over time: one crosshair across all of a page, a tooltip with every series, and drag to zoom. What is shown
// comes from the table behind each chart. A click on a bar zooms into its bucket.
import { show } from "./swap.js";

const SVG = "http://www.w3.org/2000/svg";
let charts = [];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

class Chart {
  constructor(figure) {
    this.figure = figure;
    this.body = figure.querySelector(".chart-body");
    this.plot = figure.querySelector(".chart-plot");
    this.over = figure.querySelector(".chart-over");
    this.from = Number(figure.dataset.from);
    this.step = Number(figure.dataset.step);
    const table = document.getElementById(`${figure.id}-data`)?.querySelector("table");
    this.heads = [...(table?.tHead.rows[0].cells ?? [])]
      .slice(1)
      .map((cell) => ({ name: cell.textContent, swatch: cell.dataset.swatch ?? "" }));
    this.rows = [...(table?.tBodies[0].rows ?? [])].map((row) => [...row.cells].map((cell) => cell.textContent));
    // Buckets with a bar, which a click zooms into.
    const bucket = (bar) => Math.round((bar.x.baseVal.value / 1000) * this.rows.length);
    this.bars = new Set([...this.plot.querySelectorAll("rect.bar")].map(bucket));
    this.marks = document.createElementNS(SVG, "g");
    this.over.append(this.marks);
    this.body.classList.add("zoomable");
    this.body.tabIndex = 0;
    this.body.setAttribute("role", "group");
    this.body.setAttribute("aria-label", `${figure.querySelector("h2")?.textContent}: arrow keys move through time`);
    this.listen();
  }

  index(event) {
    const box = this.plot.getBoundingClientRect();
    return clamp(Math.floor(((event.clientX - box.left) / box.width) * this.rows.length), 0, this.rows.length - 1);
  }

  // The middle of a bucket, µs: what charts with longer or shorter buckets find their own by.
  time(i) {
    return this.from + (i + 0.5) * this.step;
  }

  // The bucket of a time; null outside of the chart.
  bucket(time) {
    const i = Math.floor((time - this.from) / this.step);
    return time === null || !this.rows[i] ? null : i;
  }

  listen() {
    let start = null;
    this.body.addEventListener("pointermove", (event) => {
      const i = this.index(event);
      if (start === null) return point(this.time(i));
      else this.drag(start, i);
    });
    this.body.addEventListener("pointerleave", () => {
      if (start === null) point(null);
    });
    this.body.addEventListener("pointerdown", (event) => {
      if (event.button || event.target.closest("a, .tooltip")) return;
      start = this.index(event);
      if (event.pointerType !== "mouse" && this.bucket(at) !== start) at = null;
      this.body.setPointerCapture(event.pointerId);
      this.body.classList.add("dragging");
    });
    const stop = (event, zoom) => {
      if (start === null) return;
      const [a, b] = [start, this.index(event)].sort((x, y) => x - y);
      start = null;
      this.body.classList.remove("dragging");
      const before = this.bucket(at);
      point(null);
      if (zoom && b > a) this.zoom(a, b + 1);
      else if (zoom) this.click(a, event.pointerType === "mouse" || before === a);
    };
    this.body.addEventListener("pointerup", (event) => stop(event, true));
    this.body.addEventListener("pointercancel", (event) => stop(event, false));
    this.body.addEventListener("dblclick", () => document.querySelector('.header a[aria-label="Zoom out"]')?.click());
    this.body.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (move) {
        event.preventDefault();
        const from = this.bucket(at) ?? (move > 0 ? -1 : this.rows.length);
        point(this.time(clamp(from + move, 0, this.rows.length - 1)));
      }
      const i = this.bucket(at);
      if (event.key === "Escape") point(null);
      if (event.key === "Enter" && i !== null) this.zoom(Math.max(0, i - 1), Math.min(this.rows.length, i + 2));
    });
    this.body.addEventListener("blur", () => point(null));
  }

  // A finger points at a bucket first, to read it, and zooms with the second tap.
  click(i, again) {
    if (again && this.bars.has(i) && this.rows.length > 1) this.zoom(i, i + 1);
    else point(this.time(i));
  }

  zoom(a, b) {
    const iso = (i) => new Date((this.from + this.step * i) / 1000).toISOString();
    const url = new URL(location.href);
    url.searchParams.set("from", iso(a));
    url.searchParams.set("to", iso(b));
    // Another range has other rows.
    for (const key of ["page", "after", "open", "hold"]) url.searchParams.delete(key);
    show(url);
  }

  drag(a, b) {
    const [low, high] = a < b ? [a, b] : [b, a];
    this.marks.replaceChildren(
      make("rect", {
        class: "drag",
        x: `${(low / this.rows.length) * 100}%`,
        width: `${((high - low + 1) / this.rows.length) * 100}%`,
        y: 0,
        height: this.plot.getAttribute("height"),
      }),
    );
  }

  // The crosshair in the middle of the bucket of a time, a dot on each line, and the words.
  point(time) {
    const i = this.bucket(time);
    this.body.querySelector(".tooltip")?.remove();
    this.marks.replaceChildren();
    if (i === null) return;
    const share = (i + 0.5) / this.rows.length,
      x = `${share * 100}%`;
    this.marks.append(make("line", { class: "cross", x1: x, x2: x, y1: 0, y2: this.plot.getAttribute("height") }));
    for (const line of this.plot.querySelectorAll("polyline.line:not(.off)")) {
      const kind = [...line.classList].find((name) => name !== "line");
      const hit = [...line.points].find((one) => Math.abs(one.x - share * 1000) < 200 / this.rows.length);
      if (hit) this.marks.append(make("circle", { class: `dot dot-${kind}`, cx: x, cy: hit.y, r: 3.5 }));
    }
    const tip = document.createElement("div");
    tip.className = "tooltip";
    const when = document.createElement("div");
    when.className = "dim";
    when.textContent = this.rows[i][0];
    const list = document.createElement("dl");
    this.heads.forEach(({ name, swatch }, n) => {
      const dt = document.createElement("dt"),
        dd = document.createElement("dd");
      if (swatch) {
        const key = document.createElement("span");
        key.className = `swatch ${swatch}`;
        dt.append(key);
      }
      dt.append(name);
      dd.textContent = this.rows[i][n + 1];
      list.append(dt, dd);
    });
    tip.append(when, list);
    this.body.append(tip);
    const plot = this.plot.getBoundingClientRect(),
      body = this.body.getBoundingClientRect();
    const cross = plot.left - body.left + share * plot.width;
    const left = cross - tip.offsetWidth - 12;
    tip.style.setProperty("--x", `${left < 0 ? cross + 12 : left}px`);
  }
}

function make(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// The time that is pointed at, µs: buckets of one chart may be longer than those of another.
let at = null;
function point(time) {
  at = time;
  for (const chart of charts) chart.point(time);
}

export function init(root) {
  charts = charts.filter((chart) => chart.figure.isConnected);
  for (const figure of root.querySelectorAll("figure.chart[data-step]")) {
    if (!charts.some((chart) => chart.figure === figure)) charts.push(new Chart(figure));
  }
}
