"""JSON:API documents: decoding, the graph of included resources, encoding. Independent of resources and HTTP."""
