import { createGraphiQLFetcher, type Fetcher } from "@graphiql/toolkit";
import { type DocumentNode, GraphQLError, Kind, parse } from "graphql";
import { type Client, createClient, type ExecutionResult } from "graphql-ws";

export type Introspection = "loaded" | "refused" | "failed";

export interface Transport {
  fetcher: Fetcher;
  /** Closes the socket and with it every running subscription. */
  dispose(): void;
}

const ENDPOINT = "/graphql";
const ACCEPT = "application/graphql-response+json, application/json";
const NO_KEY = "Paste an organization key or a connection token at the top of the page first.";

/**
 * Queries and mutations over HTTP, subscriptions over graphql-transport-ws, both with this key.
 *
 * Without a key nothing is sent. `onIntrospection` hears how each attempt to load the schema ended.
 */
export function createTransport(key: string, onIntrospection: (outcome: Introspection) => void): Transport {
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
      const { outcome, answer } = await introspect({ ...headers, "content-type": "application/json" }, body);
      onIntrospection(outcome);
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

interface IntrospectionAnswer {
  outcome: Introspection;
  answer: ExecutionResult;
}

async function introspect(headers: HeadersInit, body: string): Promise<IntrospectionAnswer> {
  try {
    const response = await fetchJson(ENDPOINT, { method: "POST", headers, body });
    const result = await response.json();
    if (result.data?.__schema) return { outcome: "loaded", answer: result };
    // GraphiQL asks a second time when "data" is absent; a null keeps a refused key at one request.
    return { outcome: isRefusal(response, result) ? "refused" : "failed", answer: { data: null, ...result } };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { outcome: "failed", answer: { data: null, errors: [new GraphQLError(message)] } };
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
