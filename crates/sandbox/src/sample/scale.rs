//! How large a sample is.

/// The counts of a sample. All are of live, listable records; [`Scale::full`] has the documented ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    pub(super) organizations: usize,
    pub(super) persons: usize,
    /// Where the platform keeps them apart.
    pub(super) leads: usize,
    pub(super) deals: usize,
    pub(super) notes: usize,
    pub(super) activities: usize,
    pub(super) files: usize,
    /// Synced e-mails, the last of them a draft.
    pub(super) mails: usize,
    /// Deleted records of each kind, beyond the counts.
    pub(super) deleted: usize,
    pub(super) untranslated_deals: usize,
    pub(super) departed_persons: usize,
    pub(super) departed_deals: usize,
    pub(super) departed_activities: usize,
    pub(super) by_email: usize,
    pub(super) by_phone: usize,
    pub(super) by_external_id: usize,
    pub(super) ambiguous: usize,
    pub(super) contradicting: usize,
    pub(super) near_misses: usize,
    pub(super) shared_email_pairs: usize,
    pub(super) refused_emails: usize,
    pub(super) deals_without_person: usize,
    pub(super) deals_without_organization: usize,
    pub(super) archived_deals: usize,
    pub(super) deals_with_participants: usize,
    pub(super) relations: usize,
    pub(super) portal_companies: usize,
    pub(super) shared_companies: usize,
    pub(super) activities_without_parent: usize,
    pub(super) duplicate_names: usize,
    pub(super) trailing_spaces: usize,
}

impl Scale {
    /// A mid-size company: 1,000 organizations, 4,200 persons, 1,800 deals, 6,000 notes, 5,000
    /// activities, 200 files; and 240 synced e-mails, which are no record of any of these objects. Where the platform
    /// keeps leads apart there are 300 of them besides, with 150 notes and 100 tasks.
    pub const fn full() -> Self {
        Self {
            organizations: 1_000,
            persons: 4_200,
            leads: 300,
            deals: 1_800,
            notes: 6_000,
            activities: 5_000,
            files: 200,
            mails: 240,
            deleted: 5,
            untranslated_deals: 140,
            departed_persons: 34,
            departed_deals: 18,
            departed_activities: 40,
            by_email: 230,
            by_phone: 40,
            by_external_id: 10,
            ambiguous: 12,
            contradicting: 8,
            near_misses: 25,
            shared_email_pairs: 6,
            refused_emails: 3,
            deals_without_person: 5,
            deals_without_organization: 20,
            archived_deals: 40,
            deals_with_participants: 300,
            relations: 120,
            portal_companies: 15,
            shared_companies: 5,
            activities_without_parent: 12,
            duplicate_names: 4,
            trailing_spaces: 6,
        }
    }

    /// About a hundredth, for tests that run a migration many times: 10 organizations, 42 persons,
    /// 18 deals, 60 notes, 50 activities, 4 files, 12 synced e-mails, with each oddity at least once; 6 leads.
    pub const fn small() -> Self {
        Self {
            organizations: 10,
            persons: 42,
            leads: 6,
            deals: 18,
            notes: 60,
            activities: 50,
            files: 4,
            mails: 12,
            deleted: 1,
            untranslated_deals: 2,
            departed_persons: 2,
            departed_deals: 1,
            departed_activities: 2,
            by_email: 1,
            by_phone: 1,
            by_external_id: 1,
            ambiguous: 1,
            contradicting: 1,
            near_misses: 1,
            shared_email_pairs: 1,
            refused_emails: 1,
            deals_without_person: 1,
            deals_without_organization: 1,
            archived_deals: 1,
            deals_with_participants: 3,
            relations: 5,
            portal_companies: 2,
            shared_companies: 1,
            activities_without_parent: 1,
            duplicate_names: 1,
            trailing_spaces: 1,
        }
    }

    /// [`Scale::full`] with `times` as many records of each kind (at least once); the oddities keep their
    /// counts, so that what is expected to be held stays the same.
    pub fn times(times: u32) -> Self {
        let times = times.max(1) as usize;
        let full = Self::full();
        Self {
            organizations: full.organizations * times,
            persons: full.persons * times,
            leads: full.leads * times,
            deals: full.deals * times,
            notes: full.notes * times,
            activities: full.activities * times,
            files: full.files,
            ..full
        }
    }
}
