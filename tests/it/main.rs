//! One test binary: capability tests through public doors, contract suites, laws, architecture.

mod emulator;
