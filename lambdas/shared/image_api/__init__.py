"""HTTP: API Gateway proxy events in, responses and problem documents out; `handlers` holds a module per function."""
