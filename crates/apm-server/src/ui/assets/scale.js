// The scale of a chart of which some series are hidden: what is left is drawn anew, with an axis that ends where it
// ends.

const SVG = "http://www.w3.org/2000/svg";
// A bar is drawn a little higher than its value.
const LITTLE = 0.97;
// Least distance of two labels, as the server has it.
const GAP = 15;

const number = (element, name) => Number(element.getAttribute(name));

// A step of the axis, and how many of them hold `max`.
function ticks(max, most) {
  const power = 10 ** Math.floor(Math.log10(max / most));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((one) => one * most >= max * LITTLE);
  return { step, count: Math.max(1, Math.ceil((max * LITTLE) / step)) };
}

export class Scale {
  constructor(figure) {
    this.plot = figure.querySelector(".chart-plot");
    this.axis = figure.querySelector(".chart-y");
    this.height = number(this.plot, "height");
    this.room = number(this.axis, "data-room");
    this.top = number(this.axis, "data-top");
    this.unit = this.axis.dataset.unit ?? "";
    this.labels = [...this.axis.children];
    this.grid = [...this.plot.querySelectorAll("line.grid")];
    const at = (element, name) => ({ element, at: number(element, name) });
    this.bars = [...this.plot.querySelectorAll("rect.bar, rect.cap")].map((rect) => ({
      ...at(rect, "y"),
      x: rect.getAttribute("x"),
      height: number(rect, "height"),
    }));
    this.lines = [...this.plot.querySelectorAll("polyline.line")].map((line) => ({
      line,
      points: [...line.points].map((point) => [point.x, point.y]),
    }));
    this.dots = [...figure.querySelectorAll(".chart-over circle.dot")].map((dot) => at(dot, "cy"));
    this.names = [...figure.querySelectorAll(".chart-right text")].map((text) => at(text, "y"));
  }

  // Draws what is not hidden; all of it as it was where nothing is.
  fit(hidden) {
    this.stack(hidden);
    let factor = 1;
    const peak = hidden ? this.peak() : this.height;
    if (peak < this.height) {
      const share = (this.height - peak) / (this.height - this.room);
      const fine = ticks(this.top * share, Math.max(1, this.labels.length - 1));
      factor = this.top / (fine.step * fine.count);
      this.label(fine);
    } else {
      this.axis.replaceChildren(...this.labels);
      for (const line of this.plot.querySelectorAll("line.grid")) line.remove();
      this.plot.prepend(...this.grid);
    }
    this.draw((y) => this.height - (this.height - y) * factor, factor);
    this.plot.classList.toggle("partial", hidden);
  }

  // A layer that stays in a stack stands on the one that stays below it.
  stack(hidden) {
    const bottoms = new Map();
    let top = this.height;
    for (const bar of this.bars) {
      if (bar.element.classList.contains("cap")) {
        bar.y = hidden ? top : bar.at;
        continue;
      }
      const bottom = bottoms.get(bar.x) ?? this.height;
      top = bar.y = hidden ? bottom - bar.height : bar.at;
      if (!bar.element.classList.contains("off")) bottoms.set(bar.x, top);
    }
  }

  // The highest place of what is shown.
  peak() {
    const shown = (element) => !element.classList.contains("off");
    const bars = this.bars.filter((bar) => shown(bar.element)).map((bar) => bar.y);
    const lines = this.lines.filter(({ line }) => shown(line)).flatMap(({ points }) => points.map(([, y]) => y));
    const dots = this.dots.filter(({ element }) => shown(element)).map((dot) => dot.at);
    return [...bars, ...lines, ...dots].reduce((least, y) => Math.min(least, y), this.height);
  }

  draw(place, factor) {
    for (const bar of this.bars) {
      bar.element.setAttribute("y", place(bar.y));
      if (!bar.element.classList.contains("cap")) bar.element.setAttribute("height", bar.height * factor);
    }
    for (const { line, points } of this.lines)
      line.setAttribute("points", points.map(([x, y]) => `${x},${place(y)}`).join(" "));
    for (const dot of this.dots) dot.element.setAttribute("cy", place(dot.at));
    // Names at the ends of lines keep their distance; those of hidden series stay, to bring them back.
    let last = -GAP;
    for (const name of [...this.names].sort((a, b) => a.at - b.at)) {
      const y = factor === 1 ? name.at : Math.max(last + GAP, Math.min(Math.max(place(name.at), 6), this.height - 4));
      name.element.setAttribute("y", y);
      last = y;
    }
  }

  label({ step, count }) {
    const labels = [],
      grid = [];
    for (let i = 0; i <= count; i++) {
      const y = this.height - ((this.height - this.room) * i) / count;
      const text = document.createElementNS(SVG, "text");
      for (const [key, value] of Object.entries({ x: "100%", dx: "-8", y })) text.setAttribute(key, value);
      const value = Number((step * i).toPrecision(6)).toLocaleString("en");
      text.textContent = i === count && this.unit ? `${value}\u202f${this.unit}` : value;
      labels.push(text);
      const line = document.createElementNS(SVG, "line");
      for (const [key, value] of Object.entries({ class: "grid", x1: 0, x2: 1000, y1: y, y2: y }))
        line.setAttribute(key, value);
      if (i) grid.push(line);
    }
    this.axis.replaceChildren(...labels);
    for (const line of this.plot.querySelectorAll("line.grid")) line.remove();
    this.plot.prepend(...grid);
  }
}
