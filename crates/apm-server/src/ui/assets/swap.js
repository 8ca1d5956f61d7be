// Links within a page (sorting, tabs, samples, details) replace its content instead of loading it anew; automatic
// refresh does the same. The address always says what is shown, and the back button undoes one step.

// Parameters for open details and shown rows of a trace: a script shows others without a new page.
const DETAILS = new Set(["item", "rows", "turn", "find", "hit", "near"]);
let after = () => {};
let current = null;
let timer = 0;
// The address of what the document shows; after a step back, the browser's own is ahead of it.
let shown = new URL(location.href);

// Whether two addresses differ in nothing but which details are open.
function onlyDetails(a, b) {
  const keys = new Set([...a.searchParams.keys(), ...b.searchParams.keys()]);
  return (
    a.pathname === b.pathname &&
    [...keys].every((key) => DETAILS.has(key) || a.searchParams.get(key) === b.searchParams.get(key))
  );
}

// Something that still means the same element after its surroundings were replaced.
function keyOf(element) {
  if (!element || element === document.body) return null;
  if (element.id) return `#${CSS.escape(element.id)}`;
  const href = element.getAttribute?.("href");
  return href ? `${element.localName}[href="${CSS.escape(href)}"]` : null;
}

function replace(selector, fresh) {
  const old = document.querySelector(selector),
    next = fresh.querySelector(selector);
  if (old && next) old.replaceWith(next);
  else if (old && !next) old.remove();
  return Boolean(old) === Boolean(next);
}

// Shows `address`. `push` adds a step to the history; `quiet` is a refresh that must not disturb.
export async function show(address, { push = true, quiet = false, focus = null } = {}) {
  const url = new URL(address, location.href);
  const small =
    !quiet &&
    onlyDetails(url, shown) &&
    document.querySelector(".trace") &&
    (url.searchParams.get("item") !== shown.searchParams.get("item") || url.searchParams.has("item"));
  current?.abort();
  const request = (current = new AbortController());
  let fresh;
  try {
    const answer = await fetch(url, { signal: request.signal, headers: small ? { "X-Fragment": "flyout" } : {} });
    if (!answer.ok && quiet) return;
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    // A refusal that is no page, as of a reader who is signed out: the browser asks again, and is shown what to do.
    if (!answer.ok && !fresh.querySelector("#main")) throw new Error(`${answer.status}`);
  } catch (error) {
    if (error.name !== "AbortError" && !quiet) location.assign(url);
    return;
  } finally {
    if (current === request) current = null;
  }
  // Somebody may have begun to type while the answer was on its way.
  if (request.signal.aborted || (quiet && busy())) return;
  if (push) history.pushState(null, "", url);
  shown = url;
  const held = focus ?? keyOf(document.activeElement);
  if (small) {
    showDetails(fresh, url);
  } else {
    const open = [...document.querySelectorAll("main details[open]")].map((element) =>
      [...document.querySelectorAll("main details")].indexOf(element),
    );
    const aside = [...document.querySelectorAll("main .wide")].map((element) => element.scrollLeft);
    const along = document.querySelector(".nav-in")?.scrollLeft;
    const sameHeading = quiet && document.querySelector("h1")?.textContent === fresh.querySelector("h1")?.textContent;
    document.title = fresh.title || document.title;
    for (const part of ["#main", ".header", ".nav"]) replace(part, fresh);
    // On a phone the navigation is a bar that scrolls: it stays where it is.
    document.querySelector(".nav-in")?.scrollTo({ left: along });
    document.documentElement.toggleAttribute("data-density", false);
    const { density } = fresh.documentElement.dataset;
    if (density) document.documentElement.dataset.density = density;
    if (fresh.body.dataset.refresh) document.body.dataset.refresh = fresh.body.dataset.refresh;
    else delete document.body.dataset.refresh;
    if (quiet) {
      const all = document.querySelectorAll("main details");
      for (const i of open) if (all[i]) all[i].open = true;
      document.querySelectorAll("main .wide").forEach((element, i) => {
        if (aside[i]) element.scrollLeft = aside[i];
      });
    }
    if (!sameHeading) announce(document.querySelector("h1")?.textContent ?? "");
    schedule();
    for (const part of ["#main", ".header"]) after(document.querySelector(part));
  }
  if (held) document.querySelector(held)?.focus({ preventScroll: true });
}

function showDetails(fresh, url) {
  const trace = document.querySelector(".trace");
  const next = fresh.querySelector("#flyout");
  document.querySelector("#flyout")?.remove();
  trace.classList.toggle("trace--alone", !next);
  if (next) {
    trace.append(next);
    announce(`Details of ${next.querySelector("h2")?.textContent ?? ""}`);
    after(next);
  }
  const item = url.searchParams.get("item");
  for (const row of trace.querySelectorAll('tr[aria-selected="true"]')) row.setAttribute("aria-selected", "false");
  if (item) document.getElementById(`r-${item}`)?.setAttribute("aria-selected", "true");
}

// Takes an address as that of what is shown, where a script has shown it without a new page.
export function settle(url) {
  history.pushState(null, "", url);
  shown = new URL(url);
}

export function announce(text) {
  const place = document.querySelector("#announce");
  if (place) place.textContent = text;
}

// A refresh waits while someone reads closely: a menu is open, text is selected or typed, the pointer draws, or an
// answer to a click is on its way.
function busy() {
  return (
    current ||
    document.hidden ||
    document.querySelector("details.menu[open], .dragging, :target.chart-behind, input.pick:checked") ||
    !getSelection().isCollapsed ||
    document.activeElement?.matches("input, textarea, select") ||
    [...document.querySelectorAll("main form[method=post] :is(input, select), main textarea")].some(isFilled)
  );
}

// Whether a field has something else in it than the page came with.
function isFilled(field) {
  if (field.type === "hidden") return false;
  // A list without a chosen option shows its first, which is not marked as the default.
  if (field.options) return [...field.options].some((one) => one.selected !== one.defaultSelected && one.index > 0);
  return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
}

function schedule() {
  clearInterval(timer);
  const seconds = Number(document.body.dataset.refresh);
  if (seconds > 0)
    timer = setInterval(() => {
      if (!busy()) show(location.href, { push: false, quiet: true });
    }, seconds * 1000);
}

export function init(refreshed) {
  after = refreshed;
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (
      !link ||
      event.defaultPrevented ||
      event.button ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    if (
      link.target ||
      link.hasAttribute("download") ||
      link.origin !== location.origin ||
      link.pathname !== location.pathname
    )
      return;
    if (link.hash && link.search === location.search) return;
    event.preventDefault();
    show(link.href);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (
      event.defaultPrevented ||
      event.submitter?.name === "csv" ||
      form.method !== "get" ||
      new URL(form.action).pathname !== location.pathname
    )
      return;
    event.preventDefault();
    const url = new URL(form.action);
    url.search = new URLSearchParams([...new FormData(form, event.submitter)].filter(([, value]) => value !== ""));
    show(url);
  });
  addEventListener("popstate", () => {
    // A step to another place of the same page is the browser's own; replacing it would lose what `:target` shows.
    if (location.pathname + location.search !== shown.pathname + shown.search) show(location.href, { push: false });
  });
  schedule();
}
