//! Phone numbers: each is given out once, and written in one of several forms.
//!
//! Where a country keeps number ranges for film and print (Germany, France, the United Kingdom, the United
//! States), the numbers come from them.

use super::dice::Dice;

/// One phone number. Two numbers of one sample never have the same digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    country: &'static str,
    calling_code: &'static str,
    area: &'static str,
    subscriber: String,
    extension: Option<u8>,
}

/// Where numbers of a country come from: area code, first digits, how many digits follow.
struct Range(&'static str, &'static str, usize);

struct Plan {
    country: &'static str,
    calling_code: &'static str,
    ranges: &'static [Range],
}

const PLANS: [Plan; 15] = [
    Plan {
        country: "DE",
        calling_code: "49",
        ranges: &[
            Range("30", "23125", 3),
            Range("69", "90009", 3),
            Range("40", "66969", 3),
            Range("89", "99998", 3),
            Range("221", "4710", 3),
            Range("176", "040690", 2),
            Range("171", "39200", 2),
        ],
    },
    Plan {
        country: "US",
        calling_code: "1",
        ranges: &[
            Range("212", "55501", 2),
            Range("312", "55501", 2),
            Range("512", "55501", 2),
            Range("206", "55501", 2),
            Range("303", "55501", 2),
            Range("617", "55501", 2),
            Range("404", "55501", 2),
            Range("503", "55501", 2),
            Range("602", "55501", 2),
            Range("615", "55501", 2),
            Range("702", "55501", 2),
            Range("713", "55501", 2),
            Range("801", "55501", 2),
            Range("816", "55501", 2),
            Range("919", "55501", 2),
            Range("415", "55501", 2),
            Range("202", "55501", 2),
            Range("305", "55501", 2),
            Range("614", "55501", 2),
            Range("651", "55501", 2),
        ],
    },
    Plan {
        country: "GB",
        calling_code: "44",
        ranges: &[Range("20", "79460", 3), Range("161", "4960", 3), Range("113", "4960", 3)],
    },
    Plan {
        country: "FR",
        calling_code: "33",
        ranges: &[Range("1", "9900", 4), Range("2", "6191", 4), Range("4", "6571", 4)],
    },
    Plan { country: "PL", calling_code: "48", ranges: &[Range("22", "555", 4), Range("12", "555", 4)] },
    Plan { country: "CZ", calling_code: "420", ranges: &[Range("222", "55", 4), Range("542", "55", 4)] },
    Plan { country: "SE", calling_code: "46", ranges: &[Range("8", "4650", 4), Range("31", "3900", 3)] },
    Plan { country: "ES", calling_code: "34", ranges: &[Range("91", "055", 4), Range("95", "455", 4)] },
    Plan { country: "TR", calling_code: "90", ranges: &[Range("212", "555", 4), Range("232", "455", 4)] },
    Plan { country: "UA", calling_code: "380", ranges: &[Range("44", "555", 4), Range("32", "255", 4)] },
    Plan { country: "GR", calling_code: "30", ranges: &[Range("21", "0555", 4), Range("23", "1055", 4)] },
    Plan { country: "JP", calling_code: "81", ranges: &[Range("3", "5550", 4), Range("6", "6455", 4)] },
    Plan { country: "CN", calling_code: "86", ranges: &[Range("21", "5555", 4), Range("755", "8555", 4)] },
    Plan { country: "AE", calling_code: "971", ranges: &[Range("4", "355", 4), Range("2", "655", 4)] },
    Plan { country: "IL", calling_code: "972", ranges: &[Range("3", "555", 4), Range("4", "855", 4)] },
];

/// Gives out numbers, each once.
pub(super) struct Exchange {
    given: [u64; PLANS.len()],
    offset: u64,
}

impl Exchange {
    pub(super) fn new(dice: &mut Dice) -> Self {
        Self { given: [0; PLANS.len()], offset: dice.below(10_000) as u64 }
    }

    /// A new number of the country, or of the next country of the table when its ranges are used up
    /// (samples of a multiple of the usual size).
    pub(super) fn number(&mut self, dice: &mut Dice, country: &str) -> Number {
        let start = PLANS.iter().position(|plan| plan.country == country).unwrap_or(0);
        let index = (0..PLANS.len())
            .map(|step| (start + step) % PLANS.len())
            .find(|&index| self.given[index] < capacity(&PLANS[index]))
            .unwrap_or(start);
        let plan = &PLANS[index];
        // 7,919 is prime and divides no capacity, so each place comes up once.
        let mut place = (self.given[index] * 7_919 + self.offset) % capacity(plan);
        self.given[index] += 1;
        let mut range = &plan.ranges[0];
        for candidate in plan.ranges {
            range = candidate;
            if place < size(range) {
                break;
            }
            place -= size(range);
        }
        let extension = (plan.country == "US" && dice.chance(20)).then(|| dice.between(2, 98) as u8);
        let subscriber = format!("{}{place:0width$}", range.1, width = range.2);
        Number { country: plan.country, calling_code: plan.calling_code, area: range.0, subscriber, extension }
    }
}

fn size(range: &Range) -> u64 {
    10_u64.pow(range.2 as u32)
}

fn capacity(plan: &Plan) -> u64 {
    plan.ranges.iter().map(size).sum()
}

impl Number {
    /// `+493023125142`, without extension.
    pub(super) fn e164(&self) -> String {
        format!("+{}{}{}", self.calling_code, self.area, self.subscriber)
    }

    /// Whether people would write `mobile` beside it.
    pub(super) fn mobile(&self) -> bool {
        matches!((self.country, self.area), ("DE", "176" | "171"))
    }

    /// Forms that a reader in Germany resolves to this number without knowing the country: international
    /// forms, and for German numbers also the national ones. Forms 0..5 differ from each other.
    pub(super) fn known_form(&self, form: usize) -> String {
        let Number { calling_code, area, subscriber, .. } = self;
        let german = self.country == "DE";
        match form % 5 {
            0 => format!("+{calling_code} {area} {subscriber}"),
            1 => self.e164(),
            2 => format!("00{calling_code} {area} {}", split(subscriber, 3, " ")),
            3 if german => format!("0{area}/{subscriber}"),
            3 => format!("+{calling_code}-{area}-{subscriber}"),
            _ if german => format!("+49 (0){area} {}", split(subscriber, 3, "-")),
            _ => format!("+{calling_code} ({area}) {}", split(subscriber, 3, "-")),
        }
    }

    /// Any form, also national ones that need the country of the person to be read.
    pub(super) fn any_form(&self, dice: &mut Dice) -> String {
        let Number { area, subscriber, .. } = self;
        let local = dice.chance(45);
        match (self.country, local) {
            ("US", true) => {
                let text = match dice.below(3) {
                    0 => format!("({area}) {}", split(subscriber, 3, "-")),
                    1 => format!("{area}-{}", split(subscriber, 3, "-")),
                    _ => format!("{area}.{}", split(subscriber, 3, ".")),
                };
                match self.extension {
                    Some(extension) => format!("{text} ext. {extension}"),
                    None => text,
                }
            }
            ("GB", true) => format!("0{area} {}", split(subscriber, subscriber.len() - 4, " ")),
            ("FR", true) => format!("0{area} {}", pairs(subscriber)),
            ("PL" | "SE" | "TR" | "UA" | "JP" | "IL", true) => format!("0{area}-{}", split(subscriber, 3, " ")),
            _ => self.known_form(dice.below(5)),
        }
    }
}

/// `5550142` with a joint after the first `at` digits.
fn split(digits: &str, at: usize, joint: &str) -> String {
    match digits.split_at_checked(at) {
        Some((head, tail)) if !head.is_empty() && !tail.is_empty() => format!("{head}{joint}{tail}"),
        _ => digits.to_owned(),
    }
}

fn pairs(digits: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 3 / 2);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && place % 2 == 0 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}
