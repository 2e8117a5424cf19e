//! The only room that knows Customer.io: entity JSON, batching, limiter, retry, client.
