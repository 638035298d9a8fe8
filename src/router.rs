//! What only a router's build has (feature `every-machine` off).

pub mod heap;
