import connections from "./examples/connections.graphql?raw";
import connectionsVariables from "./examples/connections.json?raw";
import createPurchaseOrder from "./examples/createPurchaseOrder.graphql?raw";
import createPurchaseOrderVariables from "./examples/createPurchaseOrder.json?raw";
import purchaseOrders from "./examples/purchaseOrders.graphql?raw";
import purchaseOrdersVariables from "./examples/purchaseOrders.json?raw";
import recordChanged from "./examples/recordChanged.graphql?raw";
import recordChangedVariables from "./examples/recordChanged.json?raw";
import syncRunUpdated from "./examples/syncRunUpdated.graphql?raw";
import systems from "./examples/systems.graphql?raw";
import triggerSync from "./examples/triggerSync.graphql?raw";
import triggerSyncVariables from "./examples/triggerSync.json?raw";

export interface Example {
  title: string;
  /** The comment on the example's first line. */
  summary: string;
  query: string;
  variables: string;
}

export interface ExampleGroup {
  title: string;
  examples: Example[];
}

const ORDERS = example("Orders with vendor and lines", purchaseOrders, purchaseOrdersVariables);

// Each document is a file of its own, so that a test can hold it against the schema.
export const EXAMPLE_GROUPS: ExampleGroup[] = [
  {
    title: "Queries",
    examples: [ORDERS, example("Connections and their health", connections, connectionsVariables), example("Systems", systems)],
  },
  {
    title: "Mutations",
    examples: [
      example("Create a purchase order", createPurchaseOrder, createPurchaseOrderVariables),
      example("Start a sync", triggerSync, triggerSyncVariables),
    ],
  },
  {
    title: "Subscriptions",
    examples: [
      example("Follow sync runs", syncRunUpdated),
      example("Follow record changes", recordChanged, recordChangedVariables),
    ],
  },
];

export const FIRST_EXAMPLE = ORDERS;

function example(title: string, document: string, variables = ""): Example {
  const query = document.trimEnd();
  const summary = query.slice(0, query.indexOf("\n")).replace(/^#\s*/, "");
  return { title, summary, query, variables: variables.trimEnd() };
}
