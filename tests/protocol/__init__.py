"""The protocol as others see it: the conformance suite of GraphQL over HTTP, and the reference clients."""
