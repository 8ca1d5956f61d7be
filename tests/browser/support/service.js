// A running `pocket-apm`, and plain HTTP to it.
import { spawn } from "node:child_process";
import http from "node:http";
import path from "node:path";

const LIMIT = 30_000;

// Origins of what this process has started.
export const started = new Set();

// Status, headers and text of an answer. Unlike `fetch`, it may send any `Host`.
export function ask(url, { method = "GET", headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () =>
        resolve({ status: answer.statusCode, headers: answer.headers, text: Buffer.concat(parts).toString() }),
      );
      answer.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

// Asks again until `found` says yes to what is answered.
export async function until(what, look, found, limit = LIMIT) {
  const end = Date.now() + limit;
  for (;;) {
    const value = await look();
    if (found(value)) return value;
    if (Date.now() > end)
      throw new Error(`${what}: not within ${limit / 1000} s; last seen: ${JSON.stringify(value).slice(0, 600)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

class Service {
  constructor(child, service, pages) {
    Object.assign(this, { child, service, pages });
  }

  // The parsed answer of `/api/v1/…`.
  async api(resource, parameters = {}) {
    const { status, text } = await ask(`${this.pages}/api/v1/${resource}?${new URLSearchParams(parameters)}`);
    if (status !== 200) throw new Error(`/api/v1/${resource}: ${status} ${text}`);
    return JSON.parse(text);
  }

  // Waits until this many documents match.
  stored(query, count) {
    return until(
      query,
      async () => (await this.api("discover", { q: query })).total,
      (total) => total >= count,
    );
  }

  // Sends lines of intake v2, of which the first is metadata; all of them must be taken. A server on a busy machine
  // refuses a body whose events come faster than they are stored, so it gets a few thousand at a time.
  async send([metadata, ...events]) {
    for (let first = 0; first < events.length; first += 2_000) {
      const body = [metadata, ...events.slice(first, first + 2_000)].map((line) => JSON.stringify(line)).join("\n");
      const { status, text } = await ask(`${this.pages}/intake/v2/events?verbose`, {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body,
      });
      if (status !== 202) throw new Error(`the stream was answered ${status}: ${text}`);
    }
  }

  stop() {
    return new Promise((resolve) => {
      this.child.once("exit", resolve);
      this.child.kill("SIGTERM");
    });
  }
}

// Starts the binary on free ports, with databases `name.db` and `name-apm.db`; resolves when it has said where it
// listens.
export function start(directory, name, args = []) {
  const alone = args.includes("server");
  const own = alone ? [] : ["--listen", "127.0.0.1:0", "--database", path.join(directory, `${name}.db`)];
  const all = [
    ...own,
    ...args,
    "--apm-listen",
    "127.0.0.1:0",
    "--apm-database",
    path.join(directory, `${name}-apm.db`),
  ];
  const environment = Object.fromEntries(
    Object.entries(process.env).filter(([key]) => !/^(ELASTIC_APM_|APM_|LISTEN$|DATABASE_URL$|RUST_LOG$)/.test(key)),
  );
  const child = spawn(process.env.POCKET_APM, all, {
    env: { ...environment, RUST_LOG: "warn", APM_OTLP_LISTEN: "off", APM_OTLP_GRPC_LISTEN: "off" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return new Promise((resolve, reject) => {
    let said = "",
      complained = "";
    child.stderr.on("data", (part) => {
      complained = (complained + part).slice(-4000);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`pocket-apm ${all.join(" ")} ended with ${code}: ${complained}`)));
    child.stdout.on("data", (part) => {
      said += part;
      const pages = said.match(/^APM +(http:\S+)\n/m)?.[1],
        service = said.match(/^service +(http:\S+)\n/m)?.[1];
      if (pages && (service || alone)) {
        started.add(pages);
        resolve(new Service(child, service, pages));
      }
    });
  });
}
