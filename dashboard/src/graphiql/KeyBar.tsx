import { type FormEvent, useId, useState } from "react";

import { cleanKey, keyProblem } from "./key";

/** Whether the key works, as far as is known; `reason` is what the server said when it does not. */
export interface Connection {
  state: "none" | "connecting" | "loaded" | "refused" | "failed";
  reason?: string;
}

interface Props {
  /** The key in use, or "" before one is given. */
  activeKey: string;
  connection: Connection;
  onUse(key: string): void;
}

function say({ state, reason }: Connection): string {
  switch (state) {
    case "none":
      return "Not connected";
    case "connecting":
      return "Loading the schema…";
    case "loaded":
      return "Connected";
    case "refused":
      return `The server refused this key: ${reason || "check it, or paste another."}`;
    case "failed":
      return `The schema could not be loaded: ${reason || "is the server reachable?"}`;
  }
}

/** The bar that takes the bearer key, hands it on when submitted, and says whether it works. */
export function KeyBar({ activeKey, connection, onUse }: Props) {
  const [text, setText] = useState(activeKey);
  const [shown, setShown] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [field, status] = [useId(), useId()];

  function submit(event: FormEvent) {
    event.preventDefault();
    const key = cleanKey(text);
    const found = keyProblem(key);
    setProblem(found);
    if (found) return;
    setText(key);
    onUse(key);
  }

  function forget() {
    setText("");
    setShown(false);
    setProblem(null);
    onUse("");
  }

  const state = problem ? "refused" : connection.state;
  return (
    <form className="key-bar" onSubmit={submit} autoComplete="off" noValidate>
      <label htmlFor={field}>API key</label>
      <div className="key-field">
        <input
          id={field}
          type={shown ? "text" : "password"}
          value={text}
          onChange={(event) => setText(event.target.value)}
          placeholder="Organization key or connection token"
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          data-1p-ignore=""
          data-lpignore="true"
          aria-describedby={status}
          aria-invalid={state === "refused"}
        />
        <button type="button" className="quiet" aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? "Hide key" : "Show key"}
        </button>
      </div>
      <button type="submit" className="primary">
        Use key
      </button>
      {activeKey && (
        <button type="button" className="quiet" onClick={forget}>
          Forget key
        </button>
      )}
      <p id={status} role="status" className="key-status" data-state={state}>
        {problem ?? say(connection)}
      </p>
    </form>
  );
}
