// The filter over Discover's list of fields: hidden until a script can make it work.

export function init(root) {
  const find = root.querySelector?.("#find-field");
  if (!find || find.dataset.ready) return;
  find.dataset.ready = "1";
  find.closest(".query").hidden = false;
  find.addEventListener("input", () => {
    const text = find.value.trim().toLowerCase();
    for (const item of document.querySelectorAll(".fields li[data-field]"))
      item.hidden = text !== "" && !item.dataset.field.toLowerCase().includes(text);
  });
}
