// A stream of intake v2 whose words are hard to lay out.

// Words that would break out of their place: from right to left, with characters that turn the direction, with codes of
// a terminal, and very long ones without a space.
export const ODD = "odd words",
  ODD_TRACE = "0dd".padEnd(32, "0"),
  RTL = "שלום עולם",
  TURNED = "invoice\u202efdp.exe",
  COLOURED = "\u001b[1;31mred\u001b[0m";
const LONG = "x".repeat(1_000),
  LONGER = "y".repeat(10_000);

export function odd() {
  const now = Date.now() * 1000 - 20e6,
    id = (n) => `0dd${n}`.padEnd(16, "0"),
    ids = { trace_id: ODD_TRACE, transaction_id: id(0), parent_id: id(0) };
  const lines = [
    {
      metadata: { service: { name: ODD, agent: { name: "python", version: "1" }, environment: RTL, version: TURNED } },
    },
    {
      transaction: {
        id: id(0),
        trace_id: ODD_TRACE,
        timestamp: now,
        duration: 40,
        name: RTL,
        type: "request",
        result: RTL,
        outcome: "failure",
        sampled: true,
        span_count: { started: 4 },
        context: {
          user: { id: TURNED, username: RTL },
          tags: { long: LONG, turned: TURNED },
          custom: { longer: LONGER },
        },
      },
    },
  ];
  for (const [i, name] of [RTL, TURNED, COLOURED, LONG].entries()) {
    lines.push({
      span: {
        ...ids,
        id: id(i + 1),
        timestamp: now + 1_000 * (i + 1),
        duration: 2,
        name,
        type: "db",
        subtype: "sqlite",
        context: {
          db: { type: "sql", statement: `SELECT '${name}', '${i === 3 ? LONGER : ""}'` },
          destination: { service: { resource: name } },
          tags: { name },
        },
      },
    });
    lines.push({
      error: {
        ...ids,
        id: `0dd${i}`.padEnd(32, "1"),
        timestamp: now + 500,
        culprit: name,
        exception: {
          type: name,
          message: i === 3 ? LONGER : name,
          handled: false,
          stacktrace: [{ filename: name, function: name, lineno: 3, context_line: name }],
        },
      },
    });
    lines.push({
      log: {
        "@timestamp": now,
        message: i === 3 ? LONGER : name,
        "log.level": "info",
        "trace.id": ODD_TRACE,
        "transaction.id": id(0),
      },
    });
  }
  return lines;
}
