// A service with a lot of everything: 300 transactions, errors, dependencies, instances and series of metrics, forty
// versions, and names that are long, from right to left, or emoji.
import { ask } from "./service.js";

export const CROWD = "crowd",
  CROWDED = 300;
const RTL = "שירות ההזמנות",
  LONG = "n".repeat(900),
  WORDS = "a name of several words ".repeat(37);

// The name of the nth thing of some kind.
const ODD = [LONG, RTL, WORDS, "🚀🧑‍🔬👨‍👩‍👧‍👦"];
export const named = (what, n) => ODD[n] ?? `${what} ${n}`;

const id = (kind, n, length) => `c0${kind}${n.toString(16).padStart(4, "0")}`.padEnd(length, "0");

// Streams of intake v2: each has its own metadata, as each instance of a service sends its own.
export function crowd() {
  const now = Date.now() * 1000 - 30e6;
  return Array.from({ length: CROWDED }, (_, n) => {
    const trace_id = id(1, n, 32),
      transaction_id = id(2, n, 16),
      ids = { trace_id, transaction_id, parent_id: transaction_id },
      duration = 5 + (n % 17),
      outcome = n % 10 ? "success" : "failure";
    return [
      {
        metadata: {
          service: {
            name: CROWD,
            environment: ["live", RTL, WORDS][n % 3],
            version: named("version", n % 40),
            agent: { name: "python", version: "6.26.2" },
            node: { configured_name: named("node", n) },
          },
          system: { configured_hostname: named("host", n) },
        },
      },
      {
        transaction: {
          id: transaction_id,
          trace_id,
          timestamp: now - n * 1e5,
          duration,
          name: named("GET /thing", n),
          type: "request",
          result: "HTTP 2xx",
          outcome,
          sampled: true,
          span_count: { started: 1 },
        },
      },
      {
        span: {
          ...ids,
          id: id(3, n, 16),
          timestamp: now - n * 1e5 + 500,
          duration: 3,
          name: named("SELECT", n),
          type: "db",
          subtype: "postgresql",
          context: {
            db: { type: "sql", statement: `SELECT * FROM "${named("table", n)}" WHERE id = 1` },
            destination: { service: { resource: named("database", n) } },
          },
        },
      },
      {
        error: {
          ...ids,
          id: id(4, n, 32),
          timestamp: now - n * 1e5 + 900,
          culprit: named("place", n),
          exception: { type: `Broken${n}`, message: named("It broke", n), handled: false },
        },
      },
      {
        metricset: {
          timestamp: now - n * 1e5,
          samples: { "orders.waiting": { value: n, type: "gauge" }, "system.memory.total": { value: 8e9 } },
          tags: { queue: named("queue", n) },
        },
      },
    ];
  });
}

// Pins and objectives with long names, as people make them.
export async function kept({ pages }) {
  const at = `/services/${encodeURIComponent(CROWD)}`;
  const post = (address, fields) =>
    ask(pages + address, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", origin: pages },
      body: new URLSearchParams(fields).toString(),
    });
  const answers = await Promise.all([
    ...[RTL, "t".repeat(200)].map((title) => post("/dashboard", { title, address: at, chart: "latency" })),
    ...[RTL, "o".repeat(200)].map((name) =>
      post("/slos", { name, service: CROWD, environment: "", transaction: LONG, percent: "99", days: "7" }),
    ),
    post(`/traces/${id(1, 0, 32)}/pin`, {}),
  ]);
  for (const { status, text } of answers) if (status !== 303) throw new Error(`${status}: ${text.slice(0, 400)}`);
}
