// A field that narrows a long list: the names in a menu, or Discover's fields. Hidden until a script can make it work.

export function init(root) {
  for (const find of root.querySelectorAll("input[data-narrow]")) {
    const hidden = find.closest("[hidden]");
    if (!hidden) continue;
    hidden.hidden = false;
    const list = find.closest("aside")?.querySelectorAll("li[data-field]") ?? find.closest("ul").querySelectorAll("a");
    find.addEventListener("input", () => {
      const text = find.value.trim().toLowerCase();
      for (const item of list) item.hidden = !(item.dataset.field ?? item.textContent).toLowerCase().includes(text);
    });
    find.closest("details")?.addEventListener("toggle", () => find.focus());
  }
}
