// PostGraphile with its "amber" preset over the product's own tables, without any authentication.
// Arguments: the Postgres URL. Says {"port": n} on standard output once it listens.
import { createServer } from "node:http";
import { postgraphile } from "postgraphile";
import { makePgService } from "postgraphile/adaptors/pg";
import { grafserv } from "postgraphile/grafserv/node";
import { PostGraphileAmberPreset } from "postgraphile/presets/amber";
import { jsonPgSmartTags } from "postgraphile/utils";

// The tables hold no foreign keys (records may arrive in any order), so the relations are told here.
const tags = jsonPgSmartTags({
  version: 1,
  config: {
    class: {
      purchase_order: {
        tags: { foreignKey: "(connection_id, vendor_source_id) references vendor (connection_id, source_id)" },
      },
      purchase_order_line: {
        tags: { foreignKey: "(connection_id, purchase_order_id) references purchase_order (connection_id, id)" },
      },
    },
  },
});
const preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [tags],
  disablePlugins: [],
  pgServices: [makePgService({ connectionString: process.argv[2], schemas: ["public"], poolConfig: { max: 10 } })],
  grafast: { explain: false },
  grafserv: { watch: false, graphiql: false, websockets: false },
};
const server = createServer();
const serv = postgraphile(preset).createServ(grafserv);
await serv.addTo(server);
server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
