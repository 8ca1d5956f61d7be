// Pins charts to the dashboard, and shows them there: each is fetched with its page, in the range of the dashboard.
import { base } from "./base.js";

function send(fields) {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: base + "dashboard", hidden: true });
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    Object.assign(input, { type: "hidden", name, value });
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

// The address of this page below the base path.
const here = () => "/" + location.pathname.slice(base.length) + location.search;

function offer(chart) {
  const head = chart.querySelector(".chart-head"),
    title = head?.querySelector("h2")?.textContent.trim();
  if (!title || head.querySelector("[data-pinning]")) return;
  const button = document.createElement("button");
  Object.assign(button, { type: "button", className: "btn btn--ghost btn--small pin", textContent: "Pin" });
  button.dataset.pinning = "";
  button.setAttribute("aria-label", `Pin ${title} to the dashboard`);
  button.addEventListener("click", () => {
    const of = document.querySelector(".crumbs")?.textContent.trim().replace(/\s+/g, " ") ?? "";
    send({ title: [title, of].filter(Boolean).join(" · ").slice(0, 150), address: here(), chart: chart.id });
  });
  head.append(button);
}

// Charts as they were shown last: a refresh of the page does not empty their panels.
const last = new Map();
const key = (panel) => `${panel.dataset.pin}#${panel.dataset.chart}`;

async function fill(panel) {
  const url = new URL(base + panel.dataset.pin.slice(1), location.href),
    own = new URLSearchParams(location.search);
  for (const key of panel.dataset.keep.split(" ").filter(Boolean)) {
    // A range is a whole: the end of another one does not fit its start.
    if (key === "from") url.searchParams.delete("to");
    url.searchParams.delete(key);
    for (const value of own.getAll(key)) url.searchParams.append(key, value);
  }
  const place = panel.lastElementChild;
  try {
    const answer = await fetch(url),
      fresh = new DOMParser().parseFromString(await answer.text(), "text/html"),
      chart = fresh.getElementById(panel.dataset.chart);
    if (!chart?.matches("figure")) return;
    for (const extra of chart.querySelectorAll(".chart-links, .chart-behind, form, .segment")) extra.remove();
    // Several charts of one name may stand here.
    const id = `pin-${[...document.querySelectorAll("[data-pin]")].indexOf(panel)}`;
    chart.removeAttribute("aria-labelledby");
    chart.querySelector(".chart-head")?.remove();
    chart.id = id;
    chart.setAttribute("aria-label", panel.querySelector("h2").textContent);
    place.replaceWith(chart);
    last.set(key(panel), chart);
  } catch {
    place.textContent = "This chart cannot be shown now.";
  }
}

export function init(root) {
  const panels = [...root.querySelectorAll("[data-pin]:not([data-ready])")];
  for (const panel of panels) {
    panel.dataset.ready = "1";
    const before = last.get(key(panel));
    if (before && !before.isConnected) panel.lastElementChild.replaceWith(before);
  }
  // One after the other: a page is work for the server.
  panels.reduce((before, panel) => before.then(() => fill(panel)), Promise.resolve());
  if (document.querySelector("[data-pin]")) return;
  for (const chart of root.querySelectorAll("figure.chart[id]")) offer(chart);
}
