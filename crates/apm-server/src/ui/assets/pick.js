// The boxes of a list: one that ticks all of them, and how many are ticked.

export function init(root) {
  for (const all of root.querySelectorAll("[data-pick-all][hidden]")) {
    const form = all.dataset.pickAll,
      box = all.querySelector("input"),
      boxes = () => [...document.querySelectorAll(`input.pick[form="${form}"]`)],
      told = all.parentElement.querySelector("[data-picked]");
    const tell = () => {
      const ticked = boxes().filter((one) => one.checked).length;
      box.checked = ticked > 0 && ticked === boxes().length;
      box.indeterminate = ticked > 0 && !box.checked;
      told.textContent = ticked ? `With ${ticked} chosen:` : "With the chosen errors:";
    };
    all.hidden = false;
    box.addEventListener("change", () => {
      for (const one of boxes()) one.checked = box.checked;
      tell();
    });
    // A refresh replaces this element, and so ends the listener.
    all.closest("main").addEventListener("change", (event) => event.target.matches("input.pick") && tell());
    tell();
  }
}
