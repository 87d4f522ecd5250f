//! Six weeks, many times over.

mod seeds;
