//! The store through its public doors, on both databases.

mod smoke;
