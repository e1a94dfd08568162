"""What Schemathesis leaves out: breaks of the documents that are none on the wire."""

import schemathesis


@schemathesis.hook
def filter_query(context, query):
    """In a query `null` and `false` are texts, as a pair's value has to be."""
    metadata = query.get("metadata") if query else None
    return not isinstance(metadata, dict) or all(isinstance(value, str) for value in metadata.values())
