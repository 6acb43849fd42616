import { HISTORY_PLUGIN } from "@graphiql/plugin-history";
import { GraphiQL } from "graphiql";
import { useEffect, useMemo, useState } from "react";

import mark from "../mark.svg";
import { EXAMPLES_PLUGIN } from "./ExamplesPlugin";
import { createTransport } from "./fetcher";
import { type Connection, KeyBar } from "./KeyBar";
import { loadKey, saveKey } from "./key";
import { pageStorage } from "./storage";

const PLUGINS = [EXAMPLES_PLUGIN, HISTORY_PLUGIN];
// The variables editor would otherwise underline objects given for a scalar that takes any JSON.
const SCALARS = { JSON: {} };

export function App() {
  const [key, setKey] = useState(loadKey);
  const [connection, setConnection] = useState<Connection>(unproven(key));
  const transport = useMemo(
    () => createTransport(key, ({ outcome, reason }) => setConnection({ state: outcome, reason })),
    [key],
  );
  useEffect(() => () => transport.dispose(), [transport]);

  function use(next: string) {
    saveKey(next);
    setKey(next);
    setConnection(unproven(next));
  }

  return (
    <>
      <header className="page-bar">
        <h1>
          <img src={mark} alt="" width="26" height="26" />
          Crosshead <span>GraphiQL</span>
        </h1>
        <KeyBar activeKey={key} connection={connection} onUse={use} />
      </header>
      {!key && (
        <p className="notice">
          <strong>Paste an organization key or a connection token</strong> to load the schema, run queries and follow
          subscriptions. It stays in this browser tab and is forgotten when the tab closes.
        </p>
      )}
      <main>
        <GraphiQL
          fetcher={transport.fetcher}
          // null asks for nothing: the schema is loaded once there is a key, and again with each new one.
          {...(key ? {} : { schema: null })}
          storage={pageStorage}
          plugins={PLUGINS}
          visiblePlugin={EXAMPLES_PLUGIN}
          defaultEditorToolsVisibility="variables"
          customScalarSchemas={SCALARS}
          inputValueDeprecation
          schemaDescription
          shouldPersistHeaders={false}
          showPersistHeadersSettings={false}
        >
          <GraphiQL.Logo>
            <span />
          </GraphiQL.Logo>
        </GraphiQL>
      </main>
    </>
  );
}

function unproven(key: string): Connection {
  return { state: key ? "connecting" : "none" };
}
