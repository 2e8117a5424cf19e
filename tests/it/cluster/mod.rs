//! What a real API server makes of our resources, and that the ground these tests stand on holds.

mod ground;
