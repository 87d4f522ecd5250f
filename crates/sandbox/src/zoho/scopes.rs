//! What a token may do (sheet: section 1, scopes).

/// What a request does with a module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Read,
    Create,
    Update,
    Delete,
}

impl Does {
    /// The scopes' words for it; `WRITE` stands for creating and updating.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Read => &["READ"],
            Self::Create => &["CREATE", "WRITE"],
            Self::Update => &["UPDATE", "WRITE"],
            Self::Delete => &["DELETE"],
        }
    }

    /// What a method does.
    pub(super) fn of(method: &str) -> Self {
        match method {
            "POST" => Self::Create,
            "PUT" | "PATCH" => Self::Update,
            "DELETE" => Self::Delete,
            _ => Self::Read,
        }
    }
}

/// Whether a list of scopes, parted by commas or spaces, lets this be done. `area` is all before the last word:
/// `ZohoCRM.modules.leads`, `ZohoCRM.settings.fields`, `ZohoCRM.coql`.
pub(super) fn allow(granted: &str, area: &str, does: Does) -> bool {
    granted.split([',', ' ']).any(|scope| {
        let Some((head, word)) = scope.rsplit_once('.') else { return false };
        let reaches = area.eq_ignore_ascii_case(head) || {
            // `ZohoCRM.modules.ALL` covers every module, `ZohoCRM.settings.ALL` all settings.
            area.rsplit_once('.').is_some_and(|(parent, _)| parent.eq_ignore_ascii_case(head) && parent != "ZohoCRM")
        };
        reaches && (word.eq_ignore_ascii_case("ALL") || does.words().iter().any(|one| one.eq_ignore_ascii_case(word)))
    })
}

/// What the tokens of a new organization may do: everything that the sandbox has.
pub(super) const EVERYTHING: &str = "ZohoCRM.modules.ALL,ZohoCRM.settings.ALL,ZohoCRM.users.ALL,ZohoCRM.org.READ,\
    ZohoCRM.bulk.ALL,ZohoCRM.coql.READ,ZohoCRM.notifications.ALL,ZohoCRM.Files.ALL,ZohoFiles.files.ALL,\
    ZohoSearch.securesearch.READ,ZohoCRM.change_owner.CREATE,ZohoCRM.mass_update.ALL,ZohoCRM.composite_requests.CUSTOM";
