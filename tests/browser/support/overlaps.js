// Runs in a page: elements to click or to read that cover a part of one another, and those that leave their panel.
export function overlaps() {
  const ACTS = "a[href], button, input:not([type=hidden]), select, textarea, summary",
    WORDS = "h1, h2, h3, .note, label, legend, th[scope=col], .crumbs > *, .facts dt, .facts dd",
    LEAST = 2;
  // The part of a box that is seen: each ancestor that scrolls or cuts leaves less of it.
  const clipped = (box, element) => {
    let { left, top, right, bottom } = box;
    for (let one = element.parentElement; one && one !== document.body; one = one.parentElement) {
      const { overflowX, overflowY, position } = getComputedStyle(one);
      const edge = one.getBoundingClientRect();
      if (overflowX !== "visible") [left, right] = [Math.max(left, edge.left), Math.min(right, edge.right)];
      if (overflowY !== "visible") [top, bottom] = [Math.max(top, edge.top), Math.min(bottom, edge.bottom)];
      if (position === "fixed") break;
    }
    return { left, top, right, bottom };
  };
  // An element that stays while the rest scrolls covers it on purpose.
  const floats = (element) => {
    for (let one = element; one; one = one.parentElement)
      if (["sticky", "fixed"].includes(getComputedStyle(one).position)) return true;
    return false;
  };
  const is_large = ({ left, top, right, bottom }) => right - left > LEAST && bottom - top > LEAST;
  const found = [];
  for (const element of document.querySelectorAll(`${ACTS}, ${WORDS}`)) {
    if (element.closest("svg, .sr") || element.classList.contains("skip")) continue;
    if (!element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || floats(element)) continue;
    // A link over several lines is several boxes.
    const inline = getComputedStyle(element).display === "inline";
    const boxes = inline ? [...element.getClientRects()] : [element.getBoundingClientRect()];
    for (const box of boxes.map((one) => clipped(one, element)).filter(is_large))
      found.push({ element, box, acts: element.matches(ACTS) });
  }
  const name = ({ outerHTML, textContent }) => `${outerHTML.slice(0, 70)}… “${textContent.trim().slice(0, 30)}”`;
  const wrong = [];
  found.sort((a, b) => a.box.top - b.box.top);
  for (const [i, one] of found.entries())
    for (const other of found.slice(i + 1)) {
      if (other.box.top >= one.box.bottom - LEAST) break;
      if (!one.acts && !other.acts) continue;
      if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
      const across = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left),
        down = Math.min(one.box.bottom, other.box.bottom) - other.box.top;
      if (across > LEAST && down > LEAST)
        wrong.push(`${name(one.element)} and ${name(other.element)}: ${across.toFixed()} × ${down.toFixed()} px`);
    }
  for (const { element, box } of found) {
    const panel = element.closest(".panel, .split > *, .flyout")?.getBoundingClientRect();
    if (panel && (box.right > panel.right + LEAST || box.left < panel.left - LEAST))
      wrong.push(
        `${name(element)} leaves its panel by ${Math.max(box.right - panel.right, panel.left - box.left).toFixed()} px`,
      );
  }
  return [...new Set(wrong)];
}
