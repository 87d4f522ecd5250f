//! Writes the CSV files of a sales team, for `examples/csv-to-hubspot`.
//!
//!     cargo run -p handover-files --example crm_sales -- DIR [DEALS] [SEED]

mod company;

use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (folder, deals, seed) = (arguments.next(), arguments.next(), arguments.next());
    let deals = deals.map_or(Ok(8_800), |text| text.parse());
    let seed = seed.map_or(Ok(1), |text| text.parse());
    match (folder, deals, seed) {
        (Some(folder), Ok(deals), Ok(seed)) => company::write(Path::new(&folder), deals, seed),
        _ => Err(io::Error::other("usage: crm_sales DIR [DEALS] [SEED]")),
    }
}
