// Selects on the chart of durations over time: drag over a part, or click. Both time and duration are narrowed.
import { show } from "./swap.js";

const clamp = (value) => Math.min(1, Math.max(0, value));

class Density {
  constructor(root) {
    this.plot = root.querySelector(".chart-plot");
    const { from, to, low, high } = root.dataset;
    [this.from, this.to, this.low, this.high] = [from, to, low, high].map(Number);
    this.listen(root.querySelector(".chart-body"));
  }

  // Shares of the plot's width and height.
  share(event) {
    const box = this.plot.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  }

  listen(body) {
    let start = null;
    body.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      start = this.share(event);
      body.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    body.addEventListener("pointermove", (event) => {
      if (start) this.draw(start, this.share(event));
    });
    body.addEventListener("pointerup", (event) => {
      if (!start) return;
      const end = this.share(event);
      const moved = Math.hypot(end[0] - start[0], end[1] - start[1]) > 0.01;
      const near = [0.01, 0.02];
      const [a, b] = moved
        ? [start, end]
        : [start.map((at, axis) => clamp(at - near[axis])), start.map((at, axis) => clamp(at + near[axis]))];
      start = null;
      this.select(a, b);
    });
    body.addEventListener("pointercancel", () => {
      start = null;
      this.plot.querySelector(".drag")?.remove();
    });
  }

  draw(a, b) {
    let mark = this.plot.querySelector(".drag");
    if (!mark) {
      mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      mark.setAttribute("class", "drag");
      this.plot.append(mark);
    }
    const height = Number(this.plot.getAttribute("height"));
    mark.setAttribute("x", Math.min(a[0], b[0]) * 1000);
    mark.setAttribute("width", Math.abs(a[0] - b[0]) * 1000);
    mark.setAttribute("y", Math.min(a[1], b[1]) * height);
    mark.setAttribute("height", Math.abs(a[1] - b[1]) * height);
  }

  select(a, b) {
    const time = (share) => new Date((this.from + (this.to - this.from) * share) / 1000).toISOString();
    const us = (share) => this.low * (this.high / this.low) ** (1 - share);
    const url = new URL(location.href);
    url.searchParams.set("from", time(Math.min(a[0], b[0])));
    url.searchParams.set("to", time(Math.max(a[0], b[0])));
    url.searchParams.set("min_us", Math.floor(us(Math.max(a[1], b[1]))));
    url.searchParams.set("max_us", Math.ceil(us(Math.min(a[1], b[1]))));
    url.searchParams.delete("after");
    show(url);
  }
}

export function init(root) {
  for (const element of root.querySelectorAll(".density"))
    if (!element.dataset.ready) {
      element.dataset.ready = "1";
      new Density(element);
    }
}
