//! Tests of the engine through its public doors.

mod check;
mod drift;
mod expressions;
mod keys;
mod project;
mod reverse;
mod robust;
mod spending;
mod transform;
