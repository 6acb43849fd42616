import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// One entry per page. A page named here is served by graph/pages.py at its folder's name; all pages share /assets.
const pages = {
  graphiql: "graphiql/index.html",
};

export default defineConfig({
  base: "/",
  plugins: [react()],
  build: {
    rolldownOptions: {
      input: pages,
      // GraphiQL marks modules for the React compiler, which has run already; the marks mean nothing any more.
      onLog: (level, log, report) => void (log.code === "MODULE_LEVEL_DIRECTIVE" || report(level, log)),
    },
    // Every browser the page supports preloads modules itself, and the polyfill would be one more script to trust.
    modulePreload: { polyfill: false },
    // Monaco's editor core is one module of about 2.5 MB; there is nothing to split off that the page would not load.
    chunkSizeWarningLimit: 4000,
    license: { fileName: "third-party-licenses.md" },
  },
});
