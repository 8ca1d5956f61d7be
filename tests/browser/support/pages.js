// Every page, with the ids of what is stored: what all pages must hold, each is held to.
import { api, newest } from "./test.js";

// The limit, in milliseconds, of a test that visits every page. It ends a test that hangs, so it is several times what
// a busy machine needs.
export const VISIT_LIMIT = 600_000;

// The address of a page that is not refreshed.
export const still = (address) => `${address}${address.includes("?") ? "&" : "?"}refresh=0`;

// Name and address. `q` is a query that finds the transaction whose trace is shown.
export async function every(pages, service, q) {
  const root = await newest(pages, `processor.event: transaction and ${q}`);
  const trace = `/traces/${root.trace.id}`;
  const { errors } = await api(pages, `services/${encodeURIComponent(service)}/errors`);
  const { dependencies } = await api(pages, "dependencies");
  const { statements } = await api(pages, "queries", { service });
  const all = (await api(pages, "discover", { q: `processor.event: span and trace.id: ${root.trace.id}`, size: 20 }))
    .hits;
  // One of each kind.
  const spans = all.filter(
    ({ span }, i) =>
      all.findIndex(
        (other) =>
          other.span.name === span.name && other.span.type === span.type && other.span.subtype === span.subtype,
      ) === i,
  );
  const at = `/services/${encodeURIComponent(service)}`;
  const { type, name } = root.transaction;
  const group = `type=${encodeURIComponent(type)}&name=${encodeURIComponent(name)}`;
  const transaction = `${at}/transactions/view?${group}`;
  const found = [
    ["services", "/services"],
    ["services but this one", `/services?not_service=${encodeURIComponent(service)}&not_env=nowhere`],
    ["services, few columns", "/services?hide=p95,failed&density=compact&search=a"],
    ["services, nothing found", "/services?search=nothing-has-this-name"],
    ["services under a field of documents", `/services?q=${encodeURIComponent("trace.id: *")}`],
    ["a service", at],
    ["a service in five minutes", `${at}?from=now-5m`],
    ["transactions", `${at}/transactions`],
    ["a transaction", transaction],
    ["a transaction, linear", `${transaction}&scale=linear&min_us=1&max_us=900000000`],
    ["correlations", `${at}/transactions/correlations?${group}`],
    ["correlations of failed requests", `${at}/transactions/correlations?${group}&of=failed`],
    ["errors of a service", `${at}/errors`],
    ["errors", "/errors"],
    ["errors of any state", "/errors?state=all"],
    ["metrics", `${at}/metrics`],
    ["a metric", `${at}/metrics?metric=system.memory.total`],
    ["instances", `${at}/instances`],
    ["versions", `${at}/versions`],
    ["dependencies", `${at}/dependencies`],
    ["dependencies of all services", "/dependencies"],
    ["map", "/map"],
    ["map of a service", `${at}/map`],
    ["logs", "/logs"],
    ["logs of a service", `${at}/logs`],
    ...dependencies.slice(0, 1).map(({ name }) => ["a dependency", `/dependencies/${encodeURIComponent(name)}`]),
    ["traces", "/traces"],
    ["kept", "/kept"],
    ["traces, the slowest by a field", "/traces?sort=-duration&group=service.name&min_us=1&max_us=900000000"],
    ["traces, to compare with one", `/traces?compare=${root.trace.id}`],
    ["two traces", `/traces/${root.trace.id}/compare/${root.trace.id}`],
    ["a trace", trace],
    ["the transaction's details", `${trace}?item=${root.transaction.id}`],
    ...["flame", "statistics", "sql", "metadata", "logs", "errors", "json"].map((tab) => [
      `a trace, ${tab}`,
      `${trace}?tab=${tab}`,
    ]),
    ...spans.map((span, i) => [`details of span ${i + 1}`, `${trace}?item=${span.span.id}`]),
    ["queries", "/queries"],
    ["insights", "/insights"],
    ["SQL", "/sql"],
    ["SQL with rows", `/sql?sql=${encodeURIComponent("SELECT * FROM v_spans ORDER BY seq DESC LIMIT 20")}`],
    ["compare", "/compare"],
    ["dashboard", "/dashboard"],
    ["Discover", "/discover"],
    ["Discover, columns", "/discover?cols=service.name,transaction.name,transaction.duration.us&metrics=on"],
    ["Discover, by a field", "/discover?group=transaction.name"],
    [
      "Discover, a document open",
      `/discover?q=${encodeURIComponent(`trace.id: ${root.trace.id}`)}&open=1&field=transaction.name`,
    ],
    ["Discover, JSON", `/discover?q=${encodeURIComponent(`trace.id: ${root.trace.id}`)}&open=1&as=json`],
    ["live", "/live"],
    ["alerts", "/alerts"],
    ["objectives", "/slos"],
    ["a new rule", "/alerts?new=failure_rate"],
    ["vitals", "/vitals"],
    ["settings", "/settings"],
    ["setup", "/setup"],
  ];
  // Of hundreds, a few show what all of them hold.
  for (const [i, group] of errors.slice(0, 3).entries())
    for (const tab of ["", "?tab=log", "?tab=metadata", "?tab=json"])
      found.push([`error ${i + 1}${tab}`, `${at}/errors/${group.key}${tab}`]);
  for (const [i, statement] of statements.slice(0, 3).entries())
    found.push([`a statement ${i + 1}`, `/queries/${statement.fingerprint}?service=${encodeURIComponent(service)}`]);
  return found.map(([name, address]) => [name, pages + address]);
}

// Lists of a service with a query and other choices: the more is chosen, the more stands in the heads of the page and
// of its panels.
export function chosen(pages, service) {
  const some = new URLSearchParams({ service, q: "service.name: * and trace.id: *" });
  return [
    ["traces that match", `/traces?${some}&min_us=1&max_us=900000000&compare=${"0".repeat(32)}`],
    ["logs that match", `/logs?${some}`],
    ["errors that match", `/errors?state=all&search=e&${some}`],
    ["documents that match", `/discover?${some}&metrics=on`],
  ].map(([name, address]) => [name, pages + address]);
}

// In the page: the element that reaches furthest beyond the edge, where one does.
export function wide() {
  const { scrollWidth, clientWidth } = document.scrollingElement;
  if (scrollWidth <= clientWidth) return null;
  const [first] = [...document.body.querySelectorAll("*")].sort(
    (a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right,
  );
  return `${scrollWidth - clientWidth} px beyond the edge: ${first?.outerHTML.slice(0, 100)}`;
}
