"""The types of the graph, one file per area; each class states its relations, the rest is derived."""
