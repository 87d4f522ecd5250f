//! Which associations may exist, under which type ids, in which direction.
//!
//! The built-in table is the sheet's (HubSpot section 5.6 \[code/doc\]); labels that users define are
//! added behind it. A pair of kinds without a row cannot be associated.

use std::collections::HashMap;

use super::kinds::{
    CALLS, COMMUNICATIONS, COMPANIES, CONTACTS, DEALS, EMAILS, Kind, Kinds, LEADS, LINE_ITEMS, MEETINGS, NOTES,
    POSTAL_MAIL, QUOTES, TASKS, TICKETS,
};

/// Who defined an association type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Category {
    HubspotDefined,
    UserDefined,
    IntegratorDefined,
    Work,
}

impl Category {
    /// The name on the wire.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::HubspotDefined => "HUBSPOT_DEFINED",
            Self::UserDefined => "USER_DEFINED",
            Self::IntegratorDefined => "INTEGRATOR_DEFINED",
            Self::Work => "WORK",
        }
    }

    /// From the name on the wire.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        [Self::HubspotDefined, Self::UserDefined, Self::IntegratorDefined, Self::Work]
            .into_iter()
            .find(|c| c.name() == name)
    }
}

/// A type as an association carries it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct LinkType {
    pub(crate) category: Category,
    pub(crate) id: u32,
}

/// One type in one direction.
#[derive(Clone, Debug)]
pub(crate) struct TypeRow {
    pub(crate) from: Kind,
    pub(crate) to: Kind,
    pub(crate) link: LinkType,
    /// The type that the other direction carries at the same time.
    pub(crate) inverse: Option<LinkType>,
    /// `Primary`, a user's label, or none for the plain type.
    pub(crate) label: Option<String>,
    /// `contact_to_company_unlabeled`; for user labels their internal name.
    pub(crate) name: String,
    /// This is the primary type and `from` is the side that has at most one.
    pub(crate) one_per_from: bool,
}

/// From, to, type id, type id of the other direction.
const PLAIN: &[(Kind, Kind, u32, u32)] = &[
    (CONTACTS, COMPANIES, 279, 280),
    (DEALS, CONTACTS, 3, 4),
    (DEALS, COMPANIES, 341, 342),
    (CONTACTS, TICKETS, 15, 16),
    (DEALS, LINE_ITEMS, 19, 20),
    (COMPANIES, TICKETS, 340, 339),
    (DEALS, TICKETS, 27, 28),
    (DEALS, QUOTES, 63, 64),
    (QUOTES, LINE_ITEMS, 67, 68),
    (QUOTES, CONTACTS, 69, 70),
    (QUOTES, COMPANIES, 71, 72),
    (NOTES, CONTACTS, 202, 201),
    (NOTES, COMPANIES, 190, 189),
    (NOTES, DEALS, 214, 213),
    (NOTES, TICKETS, 228, 227),
    (NOTES, LEADS, 855, 854),
    (CALLS, CONTACTS, 194, 193),
    (CALLS, COMPANIES, 182, 181),
    (CALLS, DEALS, 206, 205),
    (CALLS, TICKETS, 220, 219),
    (CALLS, LEADS, 597, 596),
    (EMAILS, CONTACTS, 198, 197),
    (EMAILS, COMPANIES, 186, 185),
    (EMAILS, DEALS, 210, 209),
    (EMAILS, TICKETS, 224, 223),
    // 599 is inferred (sheet: section 5.6 [unsure]).
    (EMAILS, LEADS, 599, 598),
    (MEETINGS, CONTACTS, 200, 199),
    (MEETINGS, COMPANIES, 188, 187),
    (MEETINGS, DEALS, 212, 211),
    (MEETINGS, TICKETS, 226, 225),
    (MEETINGS, LEADS, 601, 600),
    (TASKS, CONTACTS, 204, 203),
    (TASKS, COMPANIES, 192, 191),
    (TASKS, DEALS, 216, 215),
    (TASKS, TICKETS, 230, 229),
    (TASKS, LEADS, 647, 646),
    (COMMUNICATIONS, CONTACTS, 81, 82),
    (COMMUNICATIONS, COMPANIES, 87, 88),
    (COMMUNICATIONS, DEALS, 85, 86),
    (COMMUNICATIONS, TICKETS, 83, 84),
    (POSTAL_MAIL, CONTACTS, 453, 454),
    (POSTAL_MAIL, COMPANIES, 459, 460),
    (POSTAL_MAIL, DEALS, 457, 458),
    (POSTAL_MAIL, TICKETS, 455, 456),
    (LEADS, CONTACTS, 608, 609),
    (LEADS, COMPANIES, 610, 611),
    (LEADS, DEALS, 1037, 1038),
    (CONTACTS, CONTACTS, 449, 449),
    (COMPANIES, COMPANIES, 450, 450),
    (DEALS, DEALS, 451, 451),
    (TICKETS, TICKETS, 452, 452),
];

/// Owner of the primary, the primary's kind, type id, type id of the other direction (0: none known).
const PRIMARY: &[(Kind, Kind, u32, u32)] = &[
    (CONTACTS, COMPANIES, 1, 2),
    (DEALS, COMPANIES, 5, 6),
    (TICKETS, COMPANIES, 26, 25),
    (LEADS, CONTACTS, 578, 0),
    (LEADS, COMPANIES, 580, 0),
    (LEADS, DEALS, 582, 0),
];

/// Every association type of the portal.
#[derive(Clone, Debug, Default)]
pub(crate) struct LinkTypes {
    rows: Vec<TypeRow>,
    by_pair: HashMap<(Kind, Kind), Vec<usize>>,
    /// The type id of the next label.
    pub(crate) next_id: u32,
}

impl LinkTypes {
    /// The built-in table.
    pub(crate) fn built_in(kinds: &Kinds) -> Self {
        let mut types = Self { next_id: 1_000_001, ..Self::default() };
        for &(from, to, id, inverse) in PLAIN {
            let suffix = if PRIMARY.iter().any(|p| (p.0, p.1) == (from, to) || (p.1, p.0) == (from, to)) {
                "_unlabeled"
            } else {
                ""
            };
            types.add_defined(kinds, (from, to, id, inverse), None, suffix, false);
        }
        for &row in PRIMARY {
            types.add_defined(kinds, row, Some("Primary"), "", true);
        }
        for (id, inverse, label, name) in [
            (13, 14, "Child Company", "parent_to_child_company"),
            (14, 13, "Parent Company", "child_to_parent_company"),
        ] {
            types.push(TypeRow {
                from: COMPANIES,
                to: COMPANIES,
                link: defined(id),
                inverse: Some(defined(inverse)),
                label: Some(label.to_owned()),
                name: name.to_owned(),
                one_per_from: false,
            });
        }
        types
    }

    fn add_defined(
        &mut self,
        kinds: &Kinds,
        (from, to, id, inverse): (Kind, Kind, u32, u32),
        label: Option<&str>,
        suffix: &str,
        primary: bool,
    ) {
        let name = |a: Kind, b: Kind| format!("{}_to_{}{suffix}", kinds.singular(a), kinds.singular(b));
        let row = TypeRow {
            from,
            to,
            link: defined(id),
            inverse: (inverse != 0).then(|| defined(inverse)),
            label: label.map(str::to_owned),
            name: name(from, to),
            one_per_from: primary,
        };
        self.push(row.clone());
        if inverse != 0 && inverse != id {
            self.push(TypeRow {
                from: to,
                to: from,
                link: defined(inverse),
                inverse: Some(defined(id)),
                name: name(to, from),
                one_per_from: false,
                ..row
            });
        }
    }

    /// Adds a row.
    pub(crate) fn push(&mut self, row: TypeRow) {
        if row.link.category == Category::UserDefined {
            self.next_id = self.next_id.max(row.link.id.saturating_add(1));
        }
        self.by_pair.entry((row.from, row.to)).or_default().push(self.rows.len());
        self.rows.push(row);
    }

    /// Types from one kind to another.
    pub(crate) fn between(&self, from: Kind, to: Kind) -> impl Iterator<Item = &TypeRow> {
        self.by_pair.get(&(from, to)).into_iter().flatten().filter_map(|&at| self.rows.get(at))
    }

    /// The plain type from one kind to another; none when they cannot be associated.
    pub(crate) fn plain(&self, from: Kind, to: Kind) -> Option<&TypeRow> {
        self.between(from, to).find(|row| row.label.is_none())
    }

    /// The row of a type in this direction.
    pub(crate) fn row(&self, from: Kind, to: Kind, link: LinkType) -> Option<&TypeRow> {
        self.between(from, to).find(|row| row.link == link)
    }

    /// The row of a type that starts at `from`, wherever it leads.
    pub(crate) fn row_from(&self, from: Kind, link: LinkType) -> Option<&TypeRow> {
        self.rows.iter().find(|row| row.from == from && row.link == link)
    }

    /// Every label that users defined.
    pub(crate) fn user_rows(&self) -> impl Iterator<Item = &TypeRow> {
        self.rows.iter().filter(|row| row.link.category == Category::UserDefined)
    }

    /// The same, to rename them.
    pub(crate) fn user_rows_mut(&mut self) -> impl Iterator<Item = &mut TypeRow> {
        self.rows.iter_mut().filter(|row| row.link.category == Category::UserDefined)
    }

    /// Takes a user's label and its other direction away.
    pub(crate) fn remove_label(&mut self, from: Kind, to: Kind, link: LinkType) {
        let inverse = self.row(from, to, link).and_then(|row| row.inverse);
        let gone = |row: &TypeRow| {
            (row.from, row.to, row.link) == (from, to, link)
                || ((row.from, row.to) == (to, from) && Some(row.link) == inverse)
        };
        self.rows.retain(|row| !gone(row));
        self.by_pair.clear();
        for (at, row) in self.rows.iter().enumerate() {
            self.by_pair.entry((row.from, row.to)).or_default().push(at);
        }
    }

    /// Opens the plain association between a custom object and another kind, both ways.
    pub(crate) fn open_pair(&mut self, kinds: &Kinds, from: Kind, to: Kind) {
        if self.plain(from, to).is_some() {
            return;
        }
        let (id, inverse) = (self.next_id, self.next_id.saturating_add(1));
        self.next_id = self.next_id.saturating_add(2);
        for (from, to, id, inverse) in [(from, to, id, inverse), (to, from, inverse, id)] {
            self.push(TypeRow {
                from,
                to,
                link: LinkType { category: Category::UserDefined, id },
                inverse: Some(LinkType { category: Category::UserDefined, id: inverse }),
                label: None,
                name: format!("{}_to_{}", kinds.singular(from), kinds.singular(to)),
                one_per_from: false,
            });
        }
    }
}

/// A type that HubSpot defined.
pub(crate) fn defined(id: u32) -> LinkType {
    LinkType { category: Category::HubspotDefined, id }
}
