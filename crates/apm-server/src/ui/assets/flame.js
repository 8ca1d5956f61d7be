// The flame graph by keys: left and right along a level, up to the caller, down to what is called.

export function init(root) {
  const flame = root.querySelector?.("svg[data-flame]");
  if (!flame || flame.dataset.ready) return;
  flame.dataset.ready = "1";
  const bars = [...flame.querySelectorAll(":scope > a")].map((link) => {
    const bar = link.querySelector("rect");
    const left = parseFloat(bar.getAttribute("x"));
    return { link, lane: Number(bar.getAttribute("y")), left, right: left + parseFloat(bar.getAttribute("width")) };
  });
  const go = (to) => {
    if (!to) return;
    for (const { link } of bars) link.setAttribute("tabindex", link === to.link ? "0" : "-1");
    to.link.focus();
  };
  const beside = (one, by) => {
    const lane = bars.filter(({ lane }) => lane === one.lane);
    return lane[lane.indexOf(one) + by];
  };
  const above = (one, up) => {
    const over = bars.filter(
      ({ lane, left, right }) => (up ? lane < one.lane : lane > one.lane) && left < one.right && right > one.left,
    );
    return up ? over.at(-1) : over[0];
  };
  flame.addEventListener("keydown", (event) => {
    const one = bars.find(({ link }) => link === document.activeElement);
    if (!one || event.ctrlKey || event.metaKey || event.altKey) return;
    const to = {
      ArrowRight: () => beside(one, 1),
      ArrowLeft: () => beside(one, -1),
      ArrowUp: () => above(one, true),
      ArrowDown: () => above(one, false),
      Home: () => bars[0],
    }[event.key];
    if (!to) return;
    event.preventDefault();
    event.stopPropagation();
    go(to());
  });
}
