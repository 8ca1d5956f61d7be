// Starts what all tests look at, and leaves the addresses in the environment of the workers:
//
// ARTICLE, ARTICLE_SERVICE  the pages and the service after the article's loop; tests only read
// PLAY, PLAY_SERVICE        the same for tests that write: live events, settings, markers
// STRANGE                   a server alone, with what hostile and unusual agents have sent
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { article } from "./support/article.js";
import { crowd, kept } from "./support/crowd.js";
import { long } from "./support/long.js";
import { odd } from "./support/odd.js";
import { growth, strange } from "./support/streams.js";
import { start } from "./support/service.js";

export default async function setup() {
  const directory = mkdtempSync(path.join(tmpdir(), "pocket-apm-browser-"));
  const running = [];
  const stop = async () => {
    await Promise.all(running.map((one) => one.stop()));
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const [read, play, server] = await Promise.all([
      start(directory, "article"),
      start(directory, "play"),
      start(directory, "strange", ["server"]),
    ]);
    running.push(read, play, server);
    await Promise.all([
      article(read),
      article(play),
      server.send(strange()),
      server.send(growth()),
      server.send(odd()),
      // One after the other: each instance of a service sends a stream of its own.
      (async () => {
        for (const stream of [...crowd(), ...long()]) await server.send(stream);
      })(),
    ]);
    await kept(server);
    Object.assign(process.env, {
      ARTICLE: read.pages,
      ARTICLE_SERVICE: read.service,
      PLAY: play.pages,
      PLAY_SERVICE: play.service,
      STRANGE: server.pages,
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
