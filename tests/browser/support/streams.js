// Streams of intake v2 that no agent of ours sends: hostile words in every field, a statement that grows, a large
// trace. `odd.js` has one with words that are hard to lay out.

// Would be markup, a script and a dialog, if any page forgot to escape it, in text as in an attribute.
export const HOSTILE = `<script>alert("1")</script>"><img src=x onerror=alert(2)>'\${7*7}{{7*7}}`;
// A link that runs a script, if a page made links of what it is told.
const LINK = `javascript:alert(3)//${HOSTILE}`;

export const HOSTILE_TRACE = "bad0".padEnd(32, "0"),
  HOSTILE_TRANSACTION = "bad1".padEnd(16, "0"),
  HOSTILE_SPAN = "bad2".padEnd(16, "0");
// A trace of many spans, of which the first have names of their own.
export const BIG_TRACE = "b16".padEnd(32, "0"),
  BIG_SPANS = 20_000,
  BIG_NAMED = 4_000,
  BIG_FAILED = 17_000;
export const LOGGED = "The cart could not be read";

// The one field in which the protocol allows nothing but letters, digits, space, _ and -.
export const STRANGER = "strange service";

// Nor may the name of a metric have stars or quotes.
export const METRIC = "<script>alert(4)</script><img src=x onerror=alert(5)>";

const h = HOSTILE;
const named = { name: h, version: h };
// A map whose keys are hostile, too. Dots, stars and quotes are replaced in keys by the protocol.
const labels = { [h]: h, plain: h };

function metadata() {
  return {
    metadata: {
      service: {
        name: STRANGER,
        version: h,
        environment: h,
        agent: { ...named, ephemeral_id: h, activation_method: h },
        framework: named,
        language: named,
        runtime: named,
        node: { configured_name: h },
      },
      process: { pid: 1, ppid: 1, title: h, argv: [h, h] },
      system: {
        hostname: h,
        configured_hostname: h,
        detected_hostname: h,
        architecture: h,
        platform: h,
        container: { id: h },
        kubernetes: { namespace: h, node: { name: h }, pod: { name: h, uid: h } },
      },
      user: { id: h, username: h, email: h, domain: h },
      cloud: {
        provider: h,
        region: h,
        availability_zone: h,
        account: { id: h, name: h },
        instance: { id: h, name: h },
        machine: { type: h },
        project: { id: h, name: h },
        service: { name: h },
      },
      labels,
      network: { connection: { type: h } },
    },
  };
}

const frames = [
  {
    filename: h,
    abs_path: h,
    classname: h,
    function: h,
    module: h,
    lineno: 3,
    colno: 1,
    context_line: h,
    pre_context: [h, h],
    post_context: [h, h],
    vars: { [h]: h },
  },
  { filename: h, abs_path: h, function: h, module: h, lineno: 9, library_frame: true },
  { filename: h, abs_path: h, function: h, module: h, lineno: 10, library_frame: true },
];
const message = { queue: { name: h }, body: h, headers: labels, routing_key: h, age: { ms: 5 } };
const service = {
  version: h,
  environment: h,
  agent: { ...named, ephemeral_id: h },
  framework: named,
  language: named,
  runtime: named,
  node: { configured_name: h },
  target: { type: h, name: h },
  origin: { id: h, ...named },
};
const context = {
  request: {
    method: h,
    body: h,
    http_version: h,
    cookies: labels,
    env: labels,
    headers: { [h]: h, Host: h, cookie: [h, h], "user-agent": h },
    socket: { remote_address: h, encrypted: false },
    url: { full: LINK, raw: LINK, protocol: h, hostname: h, pathname: h, search: h, hash: h, port: "8080" },
  },
  response: { status_code: 200, headers: { [h]: h }, finished: true, headers_sent: true },
  user: { id: h, username: h, email: h, domain: h },
  tags: labels,
  custom: { [h]: { [h]: h } },
  page: { url: LINK, referer: LINK },
  message,
  cloud: { origin: { account: { id: h }, provider: h, region: h, service: { name: h } } },
};
const otel = { span_kind: h, attributes: { [h]: h } };

// A service whose every field is hostile: transaction, spans of each kind, errors thrown and logged, metrics and a log
// line.
export function strange() {
  const now = Date.now() * 1000 - 30e6;
  const ids = { trace_id: HOSTILE_TRACE, transaction_id: HOSTILE_TRANSACTION, parent_id: HOSTILE_TRANSACTION };
  const span = (id, at, more) => ({
    span: {
      ...ids,
      id,
      timestamp: now + at,
      duration: 4,
      name: h,
      type: h,
      subtype: h,
      action: h,
      stacktrace: frames,
      links: [{ trace_id: HOSTILE_TRACE, span_id: HOSTILE_SPAN }],
      otel,
      ...more,
    },
  });
  const thrown = {
    message: h,
    type: h,
    module: h,
    code: h,
    handled: false,
    attributes: { [h]: h },
    stacktrace: frames,
    cause: [{ message: h, type: h, module: h, code: h, stacktrace: frames }],
  };
  return [
    metadata(),
    {
      transaction: {
        id: HOSTILE_TRANSACTION,
        trace_id: HOSTILE_TRACE,
        timestamp: now,
        duration: 40,
        name: h,
        type: h,
        result: h,
        outcome: "failure",
        sampled: true,
        span_count: { started: 4, dropped: 2 },
        context: { ...context, service },
        marks: { [h]: { [h]: 2.5 } },
        session: { id: h, sequence: 1 },
        otel,
        faas: { id: h, name: h, version: h, execution: h, coldstart: true, trigger: { type: h, request_id: h } },
        dropped_spans_stats: [
          {
            destination_service_resource: h,
            service_target_type: h,
            service_target_name: h,
            outcome: "failure",
            duration: { count: 2, sum: { us: 9 } },
          },
        ],
      },
    },
    span(HOSTILE_SPAN, 1_000, {
      type: "db",
      subtype: "sqlite",
      context: {
        db: {
          statement: `SELECT * FROM "${h}" WHERE a = '${h}' -- ${h}`,
          type: "sql",
          user: h,
          instance: h,
          link: LINK,
          rows_affected: 3,
        },
        destination: { address: h, port: 1, service: { resource: h, type: h, name: h } },
        service,
        tags: labels,
      },
    }),
    span("bad3".padEnd(16, "0"), 6_000, {
      type: "external",
      subtype: "http",
      outcome: "failure",
      context: {
        http: { url: LINK, method: h, status_code: 500, response: { headers: labels } },
        destination: { address: h, service: { resource: h, type: h, name: h } },
        tags: labels,
      },
    }),
    span("bad4".padEnd(16, "0"), 12_000, { type: "messaging", context: { message, tags: labels } }),
    span("bad5".padEnd(16, "0"), 18_000, { composite: { count: 9, sum: 3.5, compression_strategy: "exact_match" } }),
    {
      error: {
        ...ids,
        id: "bad6".padEnd(32, "0"),
        timestamp: now + 2_000,
        culprit: h,
        exception: thrown,
        context: { ...context, service },
        transaction: { name: h, type: h, sampled: true },
      },
    },
    {
      error: {
        ...ids,
        id: "bad7".padEnd(32, "0"),
        timestamp: now + 3_000,
        culprit: h,
        log: { message: h, level: h, logger_name: h, param_message: h, stacktrace: frames },
        context,
      },
    },
    {
      metricset: {
        timestamp: now,
        samples: {
          [METRIC]: { value: 3, unit: h, type: "gauge" },
          "system.cpu.total.norm.pct": { value: 0.4 },
          "system.process.memory.size": { value: 4e6 },
        },
        tags: labels,
        service: { name: STRANGER, version: h },
      },
    },
    {
      metricset: {
        timestamp: now,
        samples: { "span.self_time.count": { value: 1 }, "span.self_time.sum.us": { value: 900 } },
        transaction: { name: h, type: h },
        span: { type: h, subtype: h },
        tags: labels,
      },
    },
    {
      log: {
        "@timestamp": now,
        message: h,
        "log.level": h,
        "log.logger": h,
        "service.name": h,
        "event.dataset": h,
        "trace.id": HOSTILE_TRACE,
        "transaction.id": HOSTILE_TRANSACTION,
        "error.message": h,
        "error.type": h,
        "error.stack_trace": h,
        labels,
      },
    },
  ];
}

// Events as agents really send them, in unusual amounts: a statement whose duration follows the rows of its table, one
// trace of thousands of spans, an error that was logged, and a request that was not sampled.
export function growth() {
  const now = Date.now() * 1000,
    lines = [
      {
        metadata: {
          service: {
            name: "shop",
            version: "2.1.0",
            environment: "test",
            agent: { name: "python", version: "6.26.2" },
            language: { name: "python" },
          },
        },
      },
    ];
  const id = (n, length) => n.toString(16).padStart(length, "0");
  const statement = "SELECT city, count(*) FROM people GROUP BY city";
  for (let i = 0; i < 120; i++) {
    // Two hours, a request a minute; the table has 1 000 more rows each time, which costs 0.2 ms.
    const at = now - (120 - i) * 60e6,
      duration = 2 + i * 0.2,
      trace_id = id(0x50000 + i, 32),
      transaction_id = id(0x60000 + i, 16);
    lines.push({
      transaction: {
        id: transaction_id,
        trace_id,
        timestamp: at,
        duration: duration + 1,
        name: "GET /cities",
        type: "request",
        result: "HTTP 2xx",
        outcome: "success",
        sampled: true,
        span_count: { started: 1 },
      },
    });
    lines.push({
      span: {
        id: id(0x70000 + i, 16),
        trace_id,
        transaction_id,
        parent_id: transaction_id,
        timestamp: at + 300,
        duration,
        name: "SELECT FROM people",
        type: "db",
        subtype: "sqlite",
        action: "query",
        context: { db: { statement, type: "sql" } },
      },
    });
    lines.push({ metricset: { timestamp: at, samples: { "people.rows": { value: 1000 * (i + 1) } } } });
  }
  const big = { trace_id: BIG_TRACE, transaction_id: id(0xb16, 16) };
  const start = now - 120e6;
  lines.push({
    transaction: {
      id: big.transaction_id,
      trace_id: big.trace_id,
      timestamp: start,
      duration: 24_000,
      name: "GET /big",
      type: "request",
      result: "HTTP 2xx",
      outcome: "success",
      sampled: true,
      span_count: { started: BIG_SPANS },
    },
  });
  for (let i = 0; i < BIG_SPANS; i++) {
    const name = i < BIG_NAMED ? `step ${i}` : i % 2 ? "tick" : "tock";
    lines.push({
      span: {
        id: id(0xb000000 + i, 16),
        ...big,
        parent_id: big.transaction_id,
        timestamp: start + i * 1_100,
        duration: 1,
        name,
        type: "app",
        subtype: "internal",
        outcome: i === BIG_FAILED ? "failure" : "success",
      },
    });
  }
  lines.push({
    transaction: {
      id: id(0x111, 16),
      trace_id: id(0x111, 32),
      timestamp: now - 60e6,
      duration: 3,
      name: "GET /unsampled",
      type: "request",
      result: "HTTP 2xx",
      outcome: "success",
      sampled: false,
      span_count: { started: 0 },
    },
  });
  lines.push({
    error: {
      id: id(0x222, 32),
      timestamp: now - 50e6,
      culprit: "shop.cart.read",
      log: {
        message: LOGGED,
        level: "error",
        logger_name: "shop.cart",
        stacktrace: [
          {
            filename: "cart.py",
            abs_path: "/srv/shop/cart.py",
            function: "read",
            lineno: 12,
            context_line: '    log.error("The cart could not be read")',
            pre_context: ["def read():"],
            post_context: [],
          },
        ],
      },
    },
  });
  return lines;
}
