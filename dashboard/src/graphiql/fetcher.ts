import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { type DocumentNode, Kind, parse } from "graphql";
import { type Client, createClient, type ExecutionResult } from "graphql-ws";

/** How loading the schema ended; `reason` is the server's own sentence, or "". */
export interface Introspection {
  outcome: "loaded" | "refused" | "failed";
  reason: string;
}

export interface Transport {
  fetcher: Fetcher;
  /** Closes the socket and with it every running subscription. */
  dispose(): void;
}

const ENDPOINT = "/graphql";
const ACCEPT = "application/graphql-response+json, application/json";
const NO_KEY = "Paste an organization key or a connection token at the top of the page first.";

// What GraphiQL is told when there is no schema: the bar gives the reason, once. Without "data" it would ask a second
// time, and an answer that has a text would be printed over the last response.
const SAID_ELSEWHERE = { data: null, toJSON: () => undefined };

/**
 * Queries and mutations over HTTP, subscriptions over graphql-transport-ws, both with this key.
 *
 * Without a key nothing is sent. `onIntrospection` hears how each attempt to load the schema ended.
 */
export function createTransport(key: string, onIntrospection: (ended: Introspection) => void): Transport {
  if (!key) return { fetcher: () => Promise.reject(new Error(NO_KEY)), dispose: () => undefined };

  const authorization = `Bearer ${key}`;
  const socket = createSocket(authorization);
  const headers = { accept: ACCEPT, authorization };
  const send = createGraphiQLFetcher({
    url: ENDPOINT,
    headers,
    wsClient: socket,
    enableIncrementalDelivery: false,
    fetch: fetchJson,
    schemaFetcher: async (params) => {
      const body = JSON.stringify(params);
      const { answer, ...ended } = await introspect({ ...headers, "content-type": "application/json" }, body);
      onIntrospection(ended);
      return answer;
    },
  });
  return {
    fetcher: (params, options) => {
      const document = parseOrNull(params.query);
      if (!document) return send(params, options);
      // GraphiQL learns of an edit a moment late; what is sent follows the text itself, not the last known operation.
      const operationName = operationToRun(document, params.operationName);
      return send({ ...params, operationName }, { ...options, documentAST: document });
    },
    dispose: () => void socket.dispose(),
  };
}

function createSocket(authorization: string): Client {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return createClient({ url: `${scheme}//${location.host}${ENDPOINT}`, connectionParams: { authorization } });
}

/** fetch() whose answer is JSON; anything else, such as a proxy's error page, becomes a readable error. */
async function fetchJson(...request: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetch(...request);
  const type = response.headers.get("content-type") ?? "";
  if (/\bjson\b/.test(type)) return response;
  throw new Error(`The server answered ${response.status} ${response.statusText}`.trim() + ", without JSON.");
}

interface IntrospectionAnswer extends Introspection {
  answer: ExecutionResult;
}

async function introspect(headers: HeadersInit, body: string): Promise<IntrospectionAnswer> {
  try {
    const response = await fetchJson(ENDPOINT, { method: "POST", headers, body });
    const result = await response.json();
    if (result.data?.__schema) return { outcome: "loaded", reason: "", answer: result };
    const outcome = isRefusal(response, result) ? "refused" : "failed";
    return { outcome, reason: result.errors?.[0]?.message ?? "", answer: SAID_ELSEWHERE };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { outcome: "failed", reason, answer: SAID_ELSEWHERE };
  }
}

function isRefusal(response: Response, result: { errors?: { extensions?: { code?: string } }[] }): boolean {
  if (response.status === 401 || response.status === 403) return true;
  const codes = (result.errors ?? []).map((error) => error.extensions?.code);
  return codes.includes("UNAUTHENTICATED") || codes.includes("FORBIDDEN");
}

function parseOrNull(query: string): DocumentNode | null {
  try {
    return parse(query);
  } catch {
    return null;
  }
}

function operationToRun(document: DocumentNode, wanted: string | null | undefined): string | null {
  const names = document.definitions
    .filter((definition) => definition.kind === Kind.OPERATION_DEFINITION)
    .map((definition) => definition.name?.value ?? null);
  if (wanted && names.includes(wanted)) return wanted;
  return names.length === 1 ? (names[0] ?? null) : (wanted ?? null);
}
