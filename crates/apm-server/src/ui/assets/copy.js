// Copy buttons: hidden until a script can make them work.
import { announce } from "./swap.js";

export function init(root) {
  for (const link of root.querySelectorAll("a[data-copy-link]"))
    link.addEventListener("click", async (event) => {
      if (!navigator.clipboard || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
      event.preventDefault();
      try {
        await navigator.clipboard.writeText(link.href);
        announce("Link copied");
        link.classList.add("copied");
      } catch {
        location.assign(link.href);
      }
    });
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const target = button.dataset.copy;
      const text = target === "location" ? location.href : (document.getElementById(target)?.textContent ?? "");
      try {
        await navigator.clipboard.writeText(text);
        announce("Copied");
      } catch {
        select(target);
      }
    });
  }
}

// Without the clipboard (plain http on another host) the text is selected, so that Ctrl-C takes it.
function select(id) {
  const element = document.getElementById(id);
  if (element) getSelection().selectAllChildren(element);
}
