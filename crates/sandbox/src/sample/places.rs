//! Addresses.

use super::dice::Dice;
use super::records::Address;
use super::words::Culture;

/// An address in the culture's country.
pub(super) fn address(dice: &mut Dice, culture: &'static Culture) -> Address {
    let city = dice.entry(culture.cities, ';');
    let mut parts = city.split('|');
    let mut part = || parts.next().unwrap_or_default();
    let (locality, region, postal_code, sublocality) = (part(), part(), part(), part());
    Address {
        country: culture.country,
        region,
        district: dice.chance(30).then(|| format!("{locality} {}", dice.between(1, 9))),
        locality,
        sublocality,
        route: dice.entry(culture.streets, ';'),
        number: if dice.chance(15) { format!("{}a", dice.between(1, 180)) } else { dice.between(1, 180).to_string() },
        subpremise: dice.chance(20).then(|| dice.between(1, 40).to_string()),
        postal_code,
    }
}
