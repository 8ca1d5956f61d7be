// The article's loop and the single requests around it, on a service that has just started.
import { ask, until } from "./service.js";

// One round, as in tests/it/first_light.rs.
export const LOOP = [
  ["my-za-server", "/sql-write"],
  ["my-za-server", "/sql-read"],
  ["my-za-server", "/sql-group"],
  ["my-eu-server", "/sql-write"],
  ["my-us-server", "/sql-write"],
  ["my-za-server", "/sql-write"],
  ["my-za-server", "/sql-write"],
  ["my-za-server", "/sql-read"],
  ["my-eu-server", "/sql-group"],
  ["my-us-server", "/sql-group"],
  ["my-za-server", "/sql-write"],
  ["my-za-server", "/sql-write"],
  ["my-eu-server", "/sql-group"],
  ["my-za-server", "/sql-group"],
];
export const ROUNDS = 20;
export const DELAYS = 30;

// After this every kind of answer has been given, and all of it is stored.
export async function article(apm) {
  const get = (path, host) => ask(`${apm.service}${path}`, host ? { headers: { host } } : {});
  const { status, text } = await get("/");
  if (status !== 200 || !text.includes("response ok")) throw new Error(`GET /: ${status} ${text}`);
  await Promise.all(Array.from({ length: DELAYS }, () => get("/delay")));
  for (let round = 0; round < ROUNDS; round++) for (const [host, path] of LOOP) await get(path, host);
  // Each third answer is a 200, a 404 or a 502, by chance.
  const seen = new Set();
  for (let i = 0; seen.size < 3 && i < 500; i++) seen.add((await get("/upstream")).status);
  if (seen.size < 3) throw new Error(`/upstream answered only ${[...seen]}`);
  for (let i = 0; i < 3; i++) await get("/5xx");
  await apm.stored("processor.event: transaction and transaction.name: GET*sql*", ROUNDS * LOOP.length);
  await apm.stored('processor.event: transaction and transaction.name: "GET /5xx"', 3);
  await apm.stored("processor.event: error", 3);
  await apm.stored("processor.event: metric", 1);
}

// Goes on with what writes and what groups until the growth of the one and the repeats of the other are found: how many
// rows that takes depends on the machine.
export async function grown(apm) {
  const round = LOOP.filter(([, path]) => path !== "/sql-read");
  const look = async () => {
    for (let i = 0; i < 20; i++)
      for (const [host, path] of round) await ask(`${apm.service}${path}`, { headers: { host } });
    return (await apm.api("insights")).insights.map(({ kind, evidence }) => `${kind} ${evidence.transaction}`);
  };
  await until(
    "growth and repeats",
    look,
    (found) => found.includes("growth GET /sql-group") && found.includes("repeat GET /sql-write"),
    90_000,
  );
}
