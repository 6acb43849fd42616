// Follows an operation with a reference client: `node follow.mjs PROTOCOL URL`, with the token in TOKEN and the
// operation as JSON on standard input. Prints each answer as a line of JSON, then `null`; ends after COUNT answers.
import { createClient as eventsClient } from "graphql-sse";
import { createClient as socketClient } from "graphql-ws";
import WebSocket from "ws";

const [protocol, url] = process.argv.slice(2);
const authorization = `Bearer ${process.env.TOKEN}`;
const wanted = Number(process.env.COUNT ?? "1");

let given = "";
for await (const chunk of process.stdin) given += chunk;

const client =
  protocol === "sse"
    ? eventsClient({ url, headers: { authorization }, retryAttempts: 0 })
    : socketClient({ url, webSocketImpl: WebSocket, connectionParams: { authorization }, retryAttempts: 0 });

let seen = 0;
for await (const answer of client.iterate(JSON.parse(given))) {
  console.log(JSON.stringify(answer));
  if (++seen === wanted) break;
}
console.log("null");
await client.dispose();
