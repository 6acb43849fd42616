import "./nonce";
import "./workers";
import "graphiql/style.css";
import "./page.css";

import { createRoot } from "react-dom/client";

import { App } from "./App";
import { FIRST_EXAMPLE } from "./examples";
import { seedFirstTab } from "./storage";

seedFirstTab(FIRST_EXAMPLE.query, FIRST_EXAMPLE.variables);

const root = document.getElementById("root");
if (!root) throw new Error("The page has no element #root.");
// No StrictMode: in development it would load the schema twice.
createRoot(root).render(<App />);
