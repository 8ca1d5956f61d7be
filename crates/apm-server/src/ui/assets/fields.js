// A field that narrows a long list: the names in a menu, or Discover's fields. Hidden until a script can make it work.

export function init(root) {
  for (const calendar of root.querySelectorAll("input[data-calendar]")) {
    calendar.closest("[data-calendars]").hidden = false;
    calendar.addEventListener("change", () => {
      const field = calendar.form.elements[calendar.dataset.calendar];
      if (calendar.value) field.value = calendar.value.replace("T", " ");
    });
  }
  for (const find of root.querySelectorAll("input[data-narrow]")) {
    const hidden = find.closest("[hidden]");
    if (!hidden) continue;
    hidden.hidden = false;
    const list = find.closest("aside, form.choose").querySelectorAll("li[data-field]");
    find.addEventListener("input", () => {
      const text = find.value.trim().toLowerCase();
      for (const item of list) item.hidden = !item.dataset.field.toLowerCase().includes(text);
    });
    // Enter goes to the first name that is left; in the form it would choose all that are ticked.
    find.addEventListener("keydown", (event) => {
      const first = [...list].find((item) => !item.hidden)?.querySelector("a");
      if (event.key !== "Enter" || !find.closest("form.choose")) return;
      event.preventDefault();
      if (find.value.trim()) first?.click();
    });
    find.closest("details")?.addEventListener("toggle", () => find.focus());
  }
}
