"""JSON:API documents to Python and back: decoding, the included graph, encoding. Knows no resource and no HTTP."""
