//! An invented sales team with the shape and the faults of the public data set "CRM Sales
//! Opportunities" (Maven Analytics, public domain): lookups by name, a misspelled product and sector,
//! American dates, deals without account, close date and value.

use std::io;
use std::path::Path;

/// Agents, as `translations/users.csv` of the example knows them, with their managers.
const TEAMS: [(&str, &str, [&str; 5]); 6] = [
    (
        "Dustin Brinkmann",
        "Central",
        ["Anna Snelling", "Cecily Lampkin", "Versie Hillebrand", "Lajuana Vencill", "Moses Frase"],
    ),
    (
        "Melvin Marxen",
        "Central",
        ["Jonathan Berthelot", "Marty Freudenburg", "Gladys Colclough", "Niesha Huffines", "Darcel Schlecht"],
    ),
    (
        "Cara Losch",
        "East",
        ["Violet Mclelland", "Corliss Cosme", "Rosie Papadopoulos", "Garret Kinder", "Wilburn Farren"],
    ),
    ("Rocco Neubert", "East", ["Daniell Hammack", "Cassey Cress", "Donn Cantrell", "Reed Clapper", "Boris Faz"]),
    ("Celia Rouche", "West", ["Vicki Laflamme", "Rosalina Dieter", "Hayden Neloms", "Markita Hansen", "Elease Gluck"]),
    ("Summer Sewald", "West", ["James Ascencio", "Kary Hendrixson", "Kami Bicknell", "Zane Levy", "Maureen Marcano"]),
];

/// Name in products.csv, name in sales_pipeline.csv, series, price.
const PRODUCTS: [(&str, &str, &str, u64); 7] = [
    ("GTX Basic", "GTX Basic", "GTX", 550),
    ("GTX Pro", "GTXPro", "GTX", 4821),
    ("MG Special", "MG Special", "MG", 55),
    ("MG Advanced", "MG Advanced", "MG", 3393),
    ("GTX Plus Pro", "GTX Plus Pro", "GTX", 5482),
    ("GTX Plus Basic", "GTX Plus Basic", "GTX", 1096),
    ("GTK 500", "GTK 500", "GTK", 26768),
];

const SECTORS: [&str; 10] = [
    "retail",
    "technolgy",
    "medical",
    "marketing",
    "finance",
    "software",
    "entertainment",
    "telecommunications",
    "services",
    "employment",
];
const COUNTRIES: [&str; 6] = ["United States", "United States", "United States", "Kenya", "Philipines", "Korea"];
const FIRST: [&str; 10] = ["Blue", "Con", "Dalt", "Fin", "Gogo", "Hat", "Iso", "Kan", "Ron", "Zum"];
const SECOND: [&str; 10] =
    ["code", "dex", "lane", " & Co", "tech", "trans", "zone", " Holding, Inc.", "quote", "goods"];

/// Numbers from a seed: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit.max(1) as u64).unwrap_or(0)
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> Option<T> {
        choices.get(self.below(choices.len())).copied()
    }
}

/// Writes the four files into a folder, which is made if it does not exist.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn write(folder: &Path, deals: usize, seed: u64) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let mut dice = Dice(seed);
    let names = names((deals / 20).clamp(10, 85));
    accounts(folder, &names, &mut dice)?;
    pipeline(folder, &names, deals, &mut dice)?;
    let mut products = csv::Writer::from_path(folder.join("products.csv"))?;
    products.write_record(["product", "series", "sales_price"])?;
    for (name, _, series, price) in PRODUCTS {
        products.write_record([name, series, &price.to_string()])?;
    }
    products.flush()?;
    let mut teams = csv::Writer::from_path(folder.join("sales_teams.csv"))?;
    teams.write_record(["sales_agent", "manager", "regional_office"])?;
    for (manager, office, agents) in TEAMS {
        for agent in agents {
            teams.write_record([agent, manager, office])?;
        }
    }
    teams.flush()
}

fn names(number: usize) -> Vec<String> {
    SECOND.iter().flat_map(|second| FIRST.iter().map(move |first| format!("{first}{second}"))).take(number).collect()
}

/// Every sixth account belongs to another one, which may stand below it in the file.
fn accounts(folder: &Path, names: &[String], dice: &mut Dice) -> io::Result<()> {
    let mut file = csv::Writer::from_path(folder.join("accounts.csv"))?;
    file.write_record([
        "account",
        "sector",
        "year_established",
        "revenue",
        "employees",
        "office_location",
        "subsidiary_of",
    ])?;
    for (at, name) in names.iter().enumerate() {
        let parent = names.get((at + 3) % names.len()).filter(|_| at % 6 == 2);
        file.write_record([
            name.as_str(),
            dice.one_of(&SECTORS).unwrap_or_default(),
            &(1979 + dice.below(39)).to_string(),
            &format!("{}.{:02}", 4 + dice.below(11_700), dice.below(100)),
            &(9 + dice.below(34_000)).to_string(),
            dice.one_of(&COUNTRIES).unwrap_or_default(),
            parent.map_or("", String::as_str),
        ])?;
    }
    file.flush()
}

/// Of 100 deals 48 are won, 28 lost, 18 engaged, 6 nobody has talked about; only open ones may lack their account.
fn pipeline(folder: &Path, names: &[String], deals: usize, dice: &mut Dice) -> io::Result<()> {
    let mut file = csv::Writer::from_path(folder.join("sales_pipeline.csv"))?;
    file.write_record([
        "opportunity_id",
        "sales_agent",
        "product",
        "account",
        "deal_stage",
        "engage_date",
        "close_date",
        "close_value",
    ])?;
    for at in 0..deals {
        let (_, _, agents) = dice.one_of(&TEAMS).unwrap_or(("", "", [""; 5]));
        let (_, product, _, price) = dice.one_of(&PRODUCTS).unwrap_or(("", "", "", 0));
        let stage = match dice.below(100) {
            0..48 => "Won",
            48..76 => "Lost",
            76..94 => "Engaging",
            _ => "Prospecting",
        };
        let closed = matches!(stage, "Won" | "Lost");
        let account = match closed || dice.below(3) == 0 {
            true => names.get(dice.below(names.len())).map_or("", String::as_str),
            false => "",
        };
        let value = match stage {
            "Won" => price * (80 + dice.below(40) as u64) / 100,
            _ => 0,
        };
        let (begun, ended) = (day(dice, 2016), day(dice, 2017));
        file.write_record([
            format!("{:08X}", 0x1c1f_0000 + at * 7919).as_str(),
            dice.one_of(&agents).unwrap_or_default(),
            product,
            account,
            stage,
            if stage == "Prospecting" { "" } else { &begun },
            if closed { &ended } else { "" },
            &if closed { value.to_string() } else { String::new() },
        ])?;
    }
    file.flush()
}

/// `10/20/2016`: the month first, without leading zeros.
fn day(dice: &mut Dice, year: u32) -> String {
    format!("{}/{}/{year}", 1 + dice.below(12), 1 + dice.below(28))
}
