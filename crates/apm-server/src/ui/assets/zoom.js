// Zoom on a waterfall's ruler: a stretch that is drawn over becomes the whole width, a double click shows all again.

export class Zoom {
  constructor(table) {
    this.table = table;
    this.window = [0, 1];
    this.ruler = table.querySelector(".ruler");
    if (this.ruler) this.listen();
  }

  // Bars have percentage coordinates; zooming puts them into a wider drawing of which a part is seen.
  listen() {
    const cell = this.ruler.closest("th");
    let start = null,
      mark = null;
    const share = (event) => {
      const box = this.ruler.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    cell.classList.add("zoomable");
    cell.addEventListener("pointerdown", (event) => {
      if (event.button) return;
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
      if (b - a > 0.01) this.to(low + (high - low) * a, low + (high - low) * b);
    });
    // A finger that scrolls the page instead.
    cell.addEventListener("pointercancel", () => {
      start = null;
      mark?.remove();
    });
    cell.addEventListener("dblclick", () => this.to(0, 1));
  }

  to(low, high) {
    if (high - low < 1e-6) return;
    this.window = [low, high];
    const width = 1 / (high - low);
    this.apply(this.table);
    this.table.classList.toggle("zoomed", width > 1);
    this.label(low, high);
  }

  // Puts the bars of `root` where the zoom has them.
  apply(root) {
    const [low, high] = this.window,
      width = 1 / (high - low);
    if (width === 1 && !this.table.classList.contains("zoomed")) return;
    for (const bars of root.querySelectorAll("tbody .bars, tr .bars")) {
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
  }

  // The ruler says where the part begins, and how long it is.
  label(low, high) {
    const from = Number(this.ruler.dataset.from),
      length = Number(this.ruler.dataset.to) - from;
    const text = (us) =>
      us < 1e3
        ? `${us.toFixed(0)}\u202fµs`
        : us < 1e6
          ? `${(us / 1e3).toPrecision(3)}\u202fms`
          : us < 6e8
            ? `${(us / 1e6).toPrecision(3)}\u202fs`
            : us < 3.6e9
              ? `${(us / 6e7).toPrecision(3)}\u202fmin`
              : `${(us / 3.6e9).toPrecision(3)}\u202fh`;
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
    this.ruler.replaceChildren(
      place("0%", "start", text(length * low)),
      place("50%", "", "double-click: all"),
      place("100%", "end", text(length * high)),
    );
  }
}
