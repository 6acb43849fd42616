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

// Each document and its variables are files of their own, so that a test can run them against the product.
const DOCUMENTS = import.meta.glob<string>("./examples/*.graphql", { query: "?raw", import: "default", eager: true });
const VARIABLES = import.meta.glob<string>("./examples/*.json", { query: "?raw", import: "default", eager: true });

const ORDERS = example("Orders with vendor and lines", "purchaseOrders");

export const EXAMPLE_GROUPS: ExampleGroup[] = [
  {
    title: "Queries",
    examples: [
      ORDERS,
      example("Open orders of an item", "openOrdersOfItem"),
      example("Work orders", "workOrders"),
      example("Items and stock", "stock"),
      example("Connections", "connections"),
      example("Sync runs", "syncRuns"),
      example("Systems", "systems"),
    ],
  },
  {
    title: "Mutations",
    examples: [
      example("Connect a system", "connectSystem"),
      example("Create a purchase order", "createPurchaseOrder"),
      example("Start a sync", "triggerSync"),
    ],
  },
  {
    title: "Subscriptions",
    examples: [
      example("Follow sync runs", "syncRunUpdated"),
      example("Follow record changes", "recordChanged"),
    ],
  },
];

export const FIRST_EXAMPLE = ORDERS;

/** Reads examples/`name`.graphql, and `name`.json where the document takes variables. */
function example(title: string, name: string): Example {
  const query = DOCUMENTS[`./examples/${name}.graphql`]?.trimEnd();
  if (!query) throw new Error(`There is no example ${name}.`);
  const summary = query.slice(0, query.indexOf("\n")).replace(/^#\s*/, "");
  return { title, summary, query, variables: VARIABLES[`./examples/${name}.json`]?.trimEnd() ?? "" };
}
