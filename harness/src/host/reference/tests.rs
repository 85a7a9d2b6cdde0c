//! Unit tests of the reference host.
