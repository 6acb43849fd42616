"""Parts of the read benchmark: the rows, the servers that are compared, and the load."""
