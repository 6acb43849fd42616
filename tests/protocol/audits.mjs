// Runs the audits of graphql-http against a server: `node audits.mjs URL`, with the token in TOKEN. Prints them as JSON.
import { serverAudits } from "graphql-http";

const authorization = `Bearer ${process.env.TOKEN}`;
const fetchFn = (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, authorization } });

const told = [];
for (const audit of serverAudits({ url: process.argv[2], fetchFn })) {
  const { id, name, status, reason } = await audit.fn();
  told.push({ id, name, status, reason });
}
console.log(JSON.stringify(told));
