//! A Customer.io workspace in memory behind the real HTTP endpoints. Uses nothing of ours: it is the independent judge.
