// The live page: rows as they arrive. The stream ends with the page, and rests while the page is paused or hidden.

const MOST = 200;
// Ends the stream of the table that is shown.
let leave = () => {};

export function init(root) {
  // A filter replaces the table, and its stream has no reader any more.
  leave();
  const table = root.querySelector?.("table[data-live]");
  if (!table || table.dataset.ready) return;
  table.dataset.ready = "1";
  const body = table.tBodies[0],
    pause = document.querySelector("[data-live-pause]"),
    state = document.querySelector("[data-live-state]");
  let source = null,
    last = "",
    waiting = [];

  const insert = (html) => {
    const rows = document.createElement("tbody");
    rows.innerHTML = html;
    body.prepend(...rows.rows);
    while (body.rows.length > MOST) body.lastElementChild.remove();
  };
  const open = () => {
    if (source || document.hidden) return;
    const url = new URL(table.dataset.live, location.href);
    // After a rest the stream goes on behind what the table has got.
    if (last) url.searchParams.set("since", last);
    source = new EventSource(url);
    source.addEventListener("rows", (event) => {
      last = event.lastEventId;
      if (pause?.getAttribute("aria-pressed") === "true") {
        waiting = [event.data, ...waiting].slice(0, MOST);
        say();
      } else insert(event.data);
    });
    source.addEventListener("dropped", (event) => say(`${event.data} rows are not shown: they arrived too fast.`));
    source.onopen = () => say();
    source.onerror = () => say("Connection lost. Reconnecting …");
  };
  const close = () => {
    source?.close();
    source = null;
  };
  const say = (text) => {
    const count = `${waiting.length} new ${waiting.length === 1 ? "batch" : "batches"}`;
    if (state) state.textContent = text ?? (waiting.length ? `Paused: ${count}.` : "Listening.");
  };

  pause?.removeAttribute("hidden");
  pause?.addEventListener("click", () => {
    const paused = pause.getAttribute("aria-pressed") !== "true";
    pause.setAttribute("aria-pressed", paused);
    if (!paused) {
      waiting.reverse().forEach(insert);
      waiting = [];
    }
    say(paused ? "Paused." : undefined);
  });
  const turn = () => {
    if (document.hidden) close();
    else open();
  };
  document.addEventListener("visibilitychange", turn);
  addEventListener("pagehide", close);
  leave = () => {
    if (table.isConnected) return;
    close();
    document.removeEventListener("visibilitychange", turn);
    removeEventListener("pagehide", close);
  };
  open();
}
