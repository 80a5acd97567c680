import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";

/** A server on this machine whose page tells what it found. */
export interface AnsweringServer {
  readonly server: Server;
  /** Ends with a slash. */
  readonly address: string;
  /** What the page posts first. */
  readonly answer: Promise<string>;
}

/**
 * Serves what a page asks for under a policy, until `server` is closed.
 *
 * @param policy the content-security-policy of every answer
 * @param types the content types of what may be asked for, by ending
 * @param contentOf the contents of a path, which begins with a slash; undefined where there is nothing
 */
export async function serveForAnswer(
  policy: string,
  types: Readonly<Record<string, string>>,
  contentOf: (path: string) => Buffer | string | undefined,
): Promise<AnsweringServer> {
  let found: (text: string) => void = () => {};
  const answer = new Promise<string>((resolve) => {
    found = resolve;
  });
  const server = createServer((request, response) => {
    if (request.method === "POST") {
      let body = "";
      request.on("data", (part) => {
        body += part;
      });
      request.on("end", () => {
        response.end();
        found(body);
      });
      return;
    }
    const path = new URL(request.url ?? "/", "http://localhost").pathname.replace(/\/$/, "/index.html");
    const type = types[extname(path)];
    const content = type === undefined ? undefined : contentOf(path);
    response.writeHead(content === undefined ? 404 : 200, {
      "content-type": type ?? "text/plain",
      "content-security-policy": policy,
    });
    response.end(content);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, answer };
}
