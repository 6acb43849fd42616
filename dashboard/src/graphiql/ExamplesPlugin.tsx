import { type GraphiQLPlugin, useGraphiQL, useGraphiQLActions } from "@graphiql/react";
import { useEffect, useState } from "react";

import { type Example, EXAMPLE_GROUPS } from "./examples";

export const EXAMPLES_PLUGIN: GraphiQLPlugin = {
  title: "Example queries",
  icon: () => (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.6" aria-hidden="true">
      <path d="M6 3.5h9l3.5 3.5v13.5H6z M14.5 3.5v4h4" strokeLinejoin="round" />
      <path d="M9 12h6M9 15.5h6" strokeLinecap="round" />
    </svg>
  ),
  content: Examples,
};

function Examples() {
  const open = useOpenExample();
  return (
    <section aria-label="Example queries" className="examples">
      <div className="graphiql-doc-explorer-header">
        <div className="graphiql-doc-explorer-title">Examples</div>
      </div>
      <p className="examples-intro">Each opens in a tab of its own. Nothing runs until you press the button.</p>
      {EXAMPLE_GROUPS.map((group) => (
        <div key={group.title}>
          <h2>{group.title}</h2>
          <ul>
            {group.examples.map((example) => (
              <li key={example.title}>
                <button type="button" onClick={() => open(example)}>
                  <strong>{example.title}</strong>
                  <span>{example.summary}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </section>
  );
}

/** Opens an example: the tab that holds it unchanged, or a new tab. */
function useOpenExample(): (example: Example) => void {
  const { addTab, changeTab } = useGraphiQLActions();
  const { tabs, activeTabIndex, queryEditor, variableEditor } = useGraphiQL((state) => ({
    tabs: state.tabs,
    activeTabIndex: state.activeTabIndex,
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
  }));
  const [wanted, setWanted] = useState<Example | null>(null);

  // addTab() empties the editors as it switches; the example goes in once the new tab is the active one.
  useEffect(() => {
    if (!wanted) return;
    queryEditor?.setValue(wanted.query);
    variableEditor?.setValue(wanted.variables);
    setWanted(null);
  }, [wanted, activeTabIndex, queryEditor, variableEditor]);

  return (example) => {
    const index = tabs.findIndex((tab) => tab.query?.trimEnd() === example.query);
    if (index >= 0) return changeTab(index);
    addTab();
    setWanted(example);
  };
}
