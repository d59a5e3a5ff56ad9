"""JSON values: JavaScript semantics, coercion, JSON text, validation problems."""
