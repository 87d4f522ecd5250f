//! Static findings about one project: what is proved before `run` may start.
