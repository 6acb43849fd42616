import type { Storage } from "@graphiql/toolkit";

// Appearance is remembered for good. Editor contents and history are kept for this tab only, because variables of
// connectSystem hold a customer's credentials, which must not stay on disk.
const LASTING = /^graphiql:(theme|visiblePlugin|docExplorerFlex|editorFlex|secondaryEditorFlex)$/;

function area(name: string): globalThis.Storage {
  return LASTING.test(name) ? localStorage : sessionStorage;
}

export const pageStorage: Storage = {
  get length() {
    return localStorage.length + sessionStorage.length;
  },
  getItem: (name) => area(name).getItem(name),
  setItem: (name, value) => area(name).setItem(name, value),
  removeItem: (name) => area(name).removeItem(name),
  clear() {
    for (const store of [localStorage, sessionStorage]) {
      const names = Object.keys(store).filter((name) => name.startsWith("graphiql:"));
      for (const name of names) store.removeItem(name);
    }
  },
};

/** Fills the first tab of a new session; a session that has tabs already keeps them. */
export function seedFirstTab(query: string, variables: string): void {
  if (pageStorage.getItem("graphiql:tabState")) return;
  // Not the defaultTabs property: GraphiQL 5.4 opens its first tab without that tab's variables.
  pageStorage.setItem("graphiql:query", query);
  pageStorage.setItem("graphiql:variables", variables);
}
