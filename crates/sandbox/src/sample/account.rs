//! What both worlds share by name: the people who sell, the pipelines and their stages, currencies, labels.

/// A person of the selling company.
pub(super) struct Seller {
    /// The Pipedrive user id.
    pub(super) id: u64,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    /// The e-mail as Pipedrive has it.
    pub(super) email: &'static str,
    /// The e-mail as HubSpot has it, and the owner id there; `None`: no owner.
    pub(super) owner: Option<(&'static str, u64)>,
    /// How many of 100 organizations are theirs.
    pub(super) share: u32,
    pub(super) admin: bool,
    pub(super) active: bool,
    pub(super) zone: &'static str,
    pub(super) locale: &'static str,
}

macro_rules! seller {
    ($id:literal $first:literal $last:literal $email:literal $owner:expr, $share:literal, $zone:literal $locale:literal) => {
        Seller {
            id: $id,
            first: $first,
            last: $last,
            email: $email,
            owner: $owner,
            share: $share,
            admin: $id == ADMIN,
            active: $id != DEPARTED,
            zone: $zone,
            locale: $locale,
        }
    };
}

/// The user whose token reads everything.
pub(super) const ADMIN: u64 = 15_200_101;
/// The sales representative who left: her user is deactivated, and HubSpot never knew her.
pub(super) const DEPARTED: u64 = 15_200_107;

/// The users of the account; shares add up to 100.
pub(super) const SELLERS: [Seller; 13] = [
    seller!(15200101 "Katrin" "Vogel" "katrin.vogel@handwerk-nord.example" Some(("Katrin.Vogel@handwerk-nord.example", 71_000_101)), 0, "Europe/Berlin" "de_DE"),
    seller!(15200102 "Ben" "Okafor" "ben.okafor@handwerk-nord.example" Some(("ben.okafor@handwerk-nord.example", 71_000_102)), 18, "Europe/Berlin" "en_GB"),
    seller!(15200103 "Lucía" "Sáez" "lucia.saez@handwerk-nord.example" Some(("lucia.saez@Handwerk-Nord.example", 71_000_103)), 14, "Europe/Madrid" "es_ES"),
    seller!(15200104 "Mats" "Nyström" "Mats.Nystrom@handwerk-nord.example" Some(("mats.nystrom@handwerk-nord.example", 71_000_104)), 12, "Europe/Stockholm" "en_US"),
    seller!(15200105 "Claire" "Béranger" "claire.beranger@handwerk-nord.example" Some(("claire.beranger@handwerk-nord.example", 71_000_105)), 12, "Europe/Paris" "fr_FR"),
    seller!(15200106 "Tariq" "Haddad" "tariq.haddad@handwerk-nord.example" Some(("TARIQ.HADDAD@HANDWERK-NORD.EXAMPLE", 71_000_106)), 11, "Asia/Dubai" "en_US"),
    seller!(15200107 "Ana" "Kovačević" "ana.kovacevic@handwerk-nord.example" None, 0, "Europe/Berlin" "en_US"),
    seller!(15200108 "Jonas" "Thieme" "jonas.thieme@handwerk-nord.example" Some(("jonas.thieme@handwerk-nord.example", 71_000_108)), 10, "Europe/Berlin" "de_DE"),
    seller!(15200109 "Misaki" "Mori" "misaki.mori@handwerk-nord.example" Some(("misaki.mori@handwerk-nord.example", 71_000_109)), 7, "Asia/Tokyo" "ja_JP"),
    seller!(15200110 "Grace" "Whitfield" "Grace.Whitfield@handwerk-nord.example" Some(("grace.whitfield@handwerk-nord.example", 71_000_110)), 9, "America/New_York" "en_US"),
    seller!(15200111 "Oleh" "Koval" "oleh.koval@handwerk-nord.example" Some(("oleh.koval@handwerk-nord.example", 71_000_111)), 7, "Europe/Kyiv" "en_US"),
    seller!(15200112 "Renate" "Lange" "renate.lange@handwerk-nord.example" Some(("renate.lange@handwerk-nord.example", 71_000_112)), 0, "Europe/Berlin" "de_DE"),
    seller!(15200113 "Integration" "Account" "integrations@handwerk-nord.example" Some(("Integrations@handwerk-nord.example", 71_000_113)), 0, "Europe/Berlin" "en_US"),
];

/// A stage of a pipeline, and its counterpart in HubSpot: label and id there.
pub(super) struct Stage {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) probability: u32,
    /// `None`: nothing in HubSpot is like it.
    pub(super) counterpart: Option<(&'static str, &'static str)>,
}

/// A pipeline, and its counterpart in HubSpot.
pub(super) struct Pipeline {
    pub(super) id: u64,
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) hubspot_id: &'static str,
    pub(super) won: &'static str,
    pub(super) lost: &'static str,
    pub(super) stages: &'static [Stage],
}

/// Both pipelines. The second has two stages that HubSpot lacks.
pub(super) const PIPELINES: [Pipeline; 2] = [
    Pipeline {
        id: 1,
        name: "New Business",
        label: "New business",
        hubspot_id: "default",
        won: "closedwon",
        lost: "closedlost",
        stages: &[
            Stage { id: 1, name: "Qualified", probability: 20, counterpart: Some(("Qualified", "qualifiedtobuy")) },
            Stage { id: 2, name: "Contact Made", probability: 30, counterpart: Some(("Contact made", "1184520301")) },
            Stage {
                id: 3,
                name: "Demo Scheduled",
                probability: 45,
                counterpart: Some(("Demo scheduled", "presentationscheduled")),
            },
            Stage { id: 4, name: "Proposal Made", probability: 60, counterpart: Some(("Proposal made", "1184520302")) },
            Stage {
                id: 5,
                name: "Negotiations Started",
                probability: 80,
                counterpart: Some(("Negotiations started", "1184520303")),
            },
        ],
    },
    Pipeline {
        id: 2,
        name: "Renewals & Partners",
        label: "Renewals / partners",
        hubspot_id: "761204417",
        won: "1184520415",
        lost: "1184520416",
        stages: &[
            Stage { id: 8, name: "Renewal Due", probability: 50, counterpart: Some(("Renewal due", "1184520411")) },
            Stage { id: 9, name: "Quote Sent", probability: 60, counterpart: Some(("Quote sent", "1184520412")) },
            Stage { id: 10, name: "Public Tender", probability: 35, counterpart: None },
            Stage { id: 11, name: "Works Council Review", probability: 55, counterpart: None },
            Stage { id: 12, name: "Verbal Yes", probability: 90, counterpart: Some(("Verbal yes!", "1184520413")) },
        ],
    },
];

/// The account's currencies; the first is the default.
pub(super) const CURRENCIES: [&str; 4] = ["EUR", "USD", "GBP", "JPY"];

/// Activity types: id, name, key.
pub(super) const ACTIVITY_TYPES: [(u64, &str, &str); 6] = [
    (1, "Call", "call"),
    (2, "Meeting", "meeting"),
    (3, "Task", "task"),
    (4, "Deadline", "deadline"),
    (5, "Email", "email"),
    (6, "Lunch", "lunch"),
];

/// Labels of persons.
pub(super) const PERSON_LABELS: [(u64, &str); 4] =
    [(5, "Hot lead"), (6, "Warm lead"), (7, "Customer"), (8, "Cold lead")];
/// Labels of organizations.
pub(super) const ORGANIZATION_LABELS: [(u64, &str); 4] =
    [(11, "Customer"), (12, "Prospect"), (13, "Partner"), (14, "Former customer")];
/// Labels of deals.
pub(super) const DEAL_LABELS: [(u64, &str); 3] = [(21, "Strategic"), (22, "Quick win"), (23, "At risk")];

/// The user for a draw from 0 to 99, by the shares.
pub(super) fn seller_for(mut draw: u32) -> u64 {
    for seller in &SELLERS {
        if draw < seller.share {
            return seller.id;
        }
        draw -= seller.share;
    }
    SELLERS[1].id
}

/// The HubSpot owner of a Pipedrive user.
pub(super) fn owner_of(user: u64) -> Option<u64> {
    SELLERS.iter().find(|seller| seller.id == user).and_then(|seller| seller.owner).map(|owner| owner.1)
}

/// Pipeline and stage with this stage id.
pub(super) fn stage(id: u64) -> Option<(&'static Pipeline, &'static Stage)> {
    PIPELINES
        .iter()
        .find_map(|pipeline| pipeline.stages.iter().find(|stage| stage.id == id).map(|stage| (pipeline, stage)))
}
