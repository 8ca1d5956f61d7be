// An HTTP service under Elastic's agent, asked a few things by itself.
const apm = require("elastic-apm-node").start({
  serverUrl: process.argv[2],
  serviceName: "node-service",
  environment: "test",
  apiRequestTime: "100ms",
  metricsInterval: "1s",
  cloudProvider: "none",
  captureErrorLogStackTraces: "always",
});
const http = require("node:http");

const server = http.createServer((request, response) => {
  apm.setTransactionName(`${request.method} ${request.url.split("?")[0]}`);
  if (request.url === "/broken") {
    apm.captureError(new TypeError("nothing is no city"));
    response.statusCode = 500;
    return response.end();
  }
  if (request.url === "/logged") {
    apm.captureError("the shelf is empty");
    return response.end();
  }
  apm.setLabel("kind", "people");
  const span = apm.startSpan("SELECT FROM people", "db", "sqlite", "query", { exitSpan: true });
  span.setDbContext({ type: "sql", instance: "people.db", statement: "SELECT city FROM people WHERE id <= ?" });
  setImmediate(() => {
    span.end();
    response.end("{}");
  });
});

const get = (port, path) =>
  new Promise((resolve, reject) => {
    http.get({ port, path, agent: false }, (response) => response.resume().on("end", resolve)).on("error", reject);
  });

server.listen(0, async () => {
  const { port } = server.address();
  for (const path of ["/people/7", "/logged", "/broken"]) await get(port, path);
  server.close();
  // The metrics are sent once a second; whoever waits for the settings to be asked for again says so.
  const wait = 1500 + 1000 * Number(process.env.LINGER || 0);
  setTimeout(() => apm.flush(() => process.exit(0)), wait);
});
