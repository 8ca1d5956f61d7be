// The waterfall of a trace: all of its rows are in the document, or a part of them.
import { Parts } from "./parts.js";
import { Whole } from "./whole.js";

export function init(root) {
  const table = root.querySelector?.("#wf");
  if (!table || table.dataset.ready) return;
  table.dataset.ready = "1";
  if (table.dataset.rows) new Parts(table);
  else new Whole(table);
}
