"""JSON values: JavaScript semantics, coercion, serialisation and validation problems."""
