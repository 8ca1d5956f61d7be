// The one module that pages load. Everything here is an addition: pages work as plain HTML without it.
import { init as initTheme } from "./theme.js";
import { init as initSwap } from "./swap.js";
import { init as initKeys } from "./keys.js";
import { init as initCharts } from "./chart.js";
import { init as initLegend } from "./legend.js";
import { init as initBrush } from "./brush.js";
import { init as initCopy } from "./copy.js";
import { init as initLive } from "./live.js";
import { init as initFields } from "./fields.js";
import { init as initSuggest } from "./suggest.js";
import { init as initPaste } from "./paste.js";

// Parts that look at the document's content run again whenever some of it is replaced.
const parts = [initCharts, initLegend, initBrush, initCopy, initLive, initFields];
// Scripts of few pages, each with what it is for: loaded where that is.
const later = {
  "table[data-open]": () => import("./docs.js"),
  "#sql-form": () => import("./console.js"),
  "#wf": () => import("./waterfall.js"),
  "svg[data-flame]": () => import("./flame.js"),
  ".density": () => import("./density.js"),
  "[data-pick-all]": () => import("./pick.js"),
  ".chart-head, [data-pin]": () => import("./dashboard.js"),
};
const refresh = async (root) => {
  parts.forEach((init) => init(root));
  const here = Object.entries(later).filter(([mark]) => root.querySelector(mark));
  await Promise.all(here.map(([, load]) => load().then(({ init }) => init(root))));
};

// On a phone the navigation is a bar that scrolls: it begins at the page that is shown.
const here = document.querySelector(".nav-in > [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (innerWidth - here.offsetWidth) / 2;

initTheme();
initSuggest();
initPaste();
initKeys();
initSwap(refresh);
await refresh(document);
// Everything on the page answers to the keyboard and the mouse.
document.documentElement.dataset.ready = "";
