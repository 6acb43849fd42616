"""SuiteQL: `translate` brings a query to SQLite's dialect, `functions` gives it Oracle's, `endpoint` pages the rows."""
