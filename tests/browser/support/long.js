// A stream of intake v2 with a name of 900 characters in every field that some list shows: no list may be widened or
// made taller by one of them.
export const LONG = "long names",
  LONG_TRACE = "10a9".padEnd(32, "0");

// Without a space and with them: the first cannot wrap at all, the second would wrap over many lines.
const solid = (field) => `${field}_`.padEnd(900, "x"),
  spaced = (field) => `${field} of some words `.repeat(60).slice(0, 900);

// As many of each kind as there are ways to be long.
const WAYS = [solid, spaced];

export function long() {
  const now = Date.now() * 1000 - 20e6,
    id = (kind, n, length) => `10a9${kind}${n}`.padEnd(length, "0");
  return WAYS.map((word, n) => {
    const ids = { trace_id: n ? id(1, n, 32) : LONG_TRACE, transaction_id: id(2, n, 16), parent_id: id(2, n, 16) };
    const labels = { [solid("label")]: word("value"), plain: word("value") },
      user = { id: word("user"), username: word("username"), email: word("email") },
      frame = { filename: word("file"), function: word("function"), module: word("module"), lineno: 3 };
    const context = {
      user,
      tags: labels,
      custom: { [solid("custom")]: word("custom") },
      request: {
        method: "GET",
        url: { full: `http://${word("url").replaceAll(" ", "-")}/` },
        headers: { Host: word("host") },
      },
      response: { status_code: 200 },
    };
    const span = (number, at, more) => ({
      span: {
        ...ids,
        id: id(3 + number, n, 16),
        timestamp: now + at,
        duration: 2,
        name: word("span"),
        outcome: "failure",
        ...more,
      },
    });
    return [
      {
        metadata: {
          service: {
            name: LONG,
            environment: word("environment"),
            version: word("version"),
            agent: { name: word("agent"), version: word("version of the agent") },
            language: { name: word("language"), version: word("version") },
            runtime: { name: word("runtime"), version: word("version") },
            framework: { name: word("framework"), version: word("version") },
            node: { configured_name: word("node") },
          },
          system: {
            configured_hostname: word("host"),
            architecture: word("architecture"),
            platform: word("platform"),
            container: { id: word("container") },
            kubernetes: { namespace: word("namespace"), pod: { name: word("pod"), uid: word("uid") } },
          },
          process: { pid: 1, title: word("process") },
          cloud: { provider: word("provider"), region: word("region"), availability_zone: word("zone") },
          labels,
        },
      },
      {
        transaction: {
          id: ids.transaction_id,
          trace_id: ids.trace_id,
          timestamp: now,
          duration: 40 + n,
          name: word("transaction"),
          type: word("type"),
          result: word("result"),
          outcome: "failure",
          sampled: true,
          span_count: { started: 4 },
          context,
          dropped_spans_stats: [
            {
              destination_service_resource: word("dropped"),
              service_target_type: word("type").slice(0, 512),
              service_target_name: word("target").slice(0, 512),
              outcome: "failure",
              duration: { count: 2, sum: { us: 9 } },
            },
          ],
        },
      },
      span(1, 1_000, {
        type: "db",
        subtype: word("subtype"),
        action: word("action"),
        context: {
          db: {
            statement: `SELECT "${word("column")}" FROM "${word("table")}" WHERE a = 1`,
            type: "sql",
            instance: word("instance"),
            user: word("user"),
          },
          destination: { address: word("address"), service: { resource: word("database") } },
          tags: labels,
        },
      }),
      span(2, 4_000, {
        type: "external",
        subtype: "http",
        context: {
          http: { url: `http://${word("url").replaceAll(" ", "-")}/`, method: "GET", status_code: 500 },
          destination: { service: { resource: word("other") } },
        },
      }),
      span(3, 7_000, { type: word("kind"), subtype: word("subtype"), stacktrace: [frame] }),
      span(4, 10_000, {
        type: "messaging",
        subtype: "kafka",
        context: {
          message: { queue: { name: word("queue") } },
          destination: { service: { resource: word("broker") } },
        },
      }),
      {
        error: {
          ...ids,
          id: id(8, n, 32),
          timestamp: now + 2_000,
          culprit: word("culprit"),
          exception: { type: word("exception"), message: word("message"), handled: false, stacktrace: [frame] },
          context,
          transaction: { name: word("transaction"), type: word("type"), sampled: true },
        },
      },
      {
        error: {
          ...ids,
          id: id(9, n, 32),
          timestamp: now + 3_000,
          culprit: word("culprit"),
          log: { message: word("logged"), level: word("level"), logger_name: word("logger") },
        },
      },
      {
        metricset: {
          timestamp: now,
          samples: {
            [solid("metric")]: { value: 3, unit: word("unit"), type: "gauge" },
            "system.cpu.total.norm.pct": { value: 0.4 },
            "system.process.memory.size": { value: 4e6 },
            "system.memory.total": { value: 8e9 },
          },
          tags: { [solid("label")]: word("value"), queue: word("queue") },
        },
      },
      {
        log: {
          "@timestamp": now,
          message: word("message"),
          "log.level": word("level"),
          "log.logger": word("logger"),
          "trace.id": ids.trace_id,
          "transaction.id": ids.transaction_id,
          labels,
        },
      },
    ];
  });
}
