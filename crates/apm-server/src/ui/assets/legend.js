// Series come and go: by a click on the legend or on a line's label, Alt-click keeps one alone, and on a focused chart
// the digits 1 to 9 do the same. What is hidden is ink, not data: the table behind the chart stays whole. The axis ends
// where what is shown ends (scale.js).
import { announce } from "./swap.js";

class Legend {
  constructor(figure, entries) {
    this.figure = figure;
    this.plot = figure.querySelector(".chart-plot");
    this.over = figure.querySelector(".chart-over");
    this.entries = entries;
    this.off = new Set();
    this.scale = null;
    entries.forEach(({ element }, i) => {
      if (element.localName === "button") {
        element.setAttribute("aria-pressed", "true");
      }
      element.classList.add("toggles");
      element.addEventListener("click", (event) => this.toggle(i, event.altKey));
    });
    figure.querySelector(".chart-body").addEventListener("keydown", (event) => {
      const i = Number(event.key) - 1;
      if (!entries[i] || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      this.toggle(i, event.altKey);
    });
  }

  toggle(i, alone) {
    const others = this.entries.map((_, n) => n).filter((n) => n !== i);
    if (alone) this.off = new Set(others.every((n) => this.off.has(n)) ? [] : others);
    else if (!this.off.delete(i)) this.off.add(i);
    this.entries.forEach(({ element, kind }, n) => {
      const hidden = this.off.has(n);
      element.classList.toggle("off", hidden);
      if (element.localName === "button") element.setAttribute("aria-pressed", !hidden);
      for (const mark of this.plot.querySelectorAll(`.${kind}, .${kind}-cap`)) mark.classList.toggle("off", hidden);
      for (const dot of this.over.querySelectorAll(`.dot-${kind}`)) dot.classList.toggle("off", hidden);
    });
    this.fit();
    announce(`${this.entries[i].name} ${this.off.has(i) ? "hidden" : "shown"}`);
  }

  // Draws what is left on a scale of its own. Few readers hide a series: the script for it is fetched then.
  async fit() {
    // A logarithmic axis stays as it is.
    if (!this.figure.querySelector(".chart-y")?.hasAttribute("data-top")) return;
    const { Scale } = await import("./scale.js");
    this.scale ??= new Scale(this.figure);
    this.scale.fit(this.off.size > 0);
  }
}

// A legend's own words, without the figure after them.
const words = (element) =>
  [...element.childNodes]
    .filter((node) => node.nodeType === Node.TEXT_NODE || node.matches(".clamp"))
    .map((node) => node.textContent)
    .join("")
    .trim();

// An item of a legend with a button around its words.
function button(item) {
  const button = document.createElement("button");
  button.type = "button";
  button.append(...item.childNodes);
  item.append(button);
  return button;
}

// The class that colours a series, of its swatch or of its line.
const kindOf = (element) => [...element.classList].find((name) => !["swatch", "line", "toggles", "off"].includes(name));

export function init(root) {
  for (const figure of root.querySelectorAll("figure.chart[data-step]")) {
    if (figure.dataset.legend) continue;
    figure.dataset.legend = "1";
    const keys = [...figure.querySelectorAll(".legend li")];
    const items = keys.map((item) => {
      const element = keys.length > 1 ? button(item) : item;
      return { element, kind: kindOf(element.querySelector(".swatch, .keydash")), name: words(element) };
    });
    const labels = [...figure.querySelectorAll(".chart-right text[data-kind]")].map((element) => ({
      element,
      kind: element.dataset.kind,
      name: element.querySelector(".lab")?.textContent ?? "",
    }));
    const entries = items.length ? items : labels;
    if (entries.length > 1) new Legend(figure, entries);
  }
}
