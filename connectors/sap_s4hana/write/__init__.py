"""Changes as SAP's requests: one file an entity; bodies are made by pure functions, `steps` sends them."""
