//! Users of the systems and how they pair: by e-mail, or by a row of `translations/users.csv`.

use std::collections::BTreeMap;

use handover_model::{SystemName, User, UserId};

use crate::transform::Tables;

/// Users of every system.
#[derive(Clone, Debug, Default)]
pub struct People {
    users: BTreeMap<SystemName, Vec<User>>,
    /// Source e-mail to target e-mail, both in lower case.
    assigned: BTreeMap<String, String>,
}

impl People {
    /// Users, with the table `users` for those whose e-mails differ.
    pub fn new(users: BTreeMap<SystemName, Vec<User>>, tables: &Tables) -> Self {
        let assigned = tables
            .0
            .get("users")
            .map(|table| table.rows.iter().map(|(from, row)| (plain(from), plain(&row.to))).collect())
            .unwrap_or_default();
        Self { users, assigned }
    }

    /// The user of `target` to whom records of the source's `user` go; `None` when nobody active qualifies.
    pub fn counterpart(&self, source: &SystemName, user: &str, target: &SystemName) -> Option<&UserId> {
        let email = self.email(source, user);
        let wanted = email
            .as_deref()
            .and_then(|email| self.assigned.get(email))
            .or_else(|| self.assigned.get(&plain(user)))
            .cloned()
            .or(email)?;
        let users = self.users.get(target)?;
        users
            .iter()
            .find(|candidate| candidate.active && (plain(&candidate.email) == wanted || candidate.id == *wanted))
            .map(|found| &found.id)
    }

    /// The user of `source` to whom records of the target's `user` go back; `None` when nobody active qualifies, or
    /// several were assigned to that one.
    pub fn counterpart_back(&self, target: &SystemName, user: &str, source: &SystemName) -> Option<&UserId> {
        let email = self.email(target, user)?;
        let own = self.known(source, &email);
        let mut assigned = self.assigned.iter().filter(|(_, to)| **to == email || **to == plain(user));
        match (own, assigned.next(), assigned.next()) {
            (Some(own), ..) => Some(own),
            (None, Some((from, _)), None) => self.known(source, from),
            (None, _, _) => None,
        }
    }

    /// The active user of a system with this e-mail address or id.
    pub fn known(&self, system: &SystemName, user: &str) -> Option<&UserId> {
        let wanted = plain(user);
        let users = self.users.get(system)?;
        users
            .iter()
            .find(|known| known.active && (plain(&known.email) == wanted || known.id == *user))
            .map(|known| &known.id)
    }

    /// What people know the source's user by.
    pub fn label(&self, source: &SystemName, user: &str) -> String {
        self.find(source, user).map_or_else(|| user.to_owned(), |found| found.email.clone())
    }

    fn email(&self, system: &SystemName, user: &str) -> Option<String> {
        self.find(system, user)
            .map(|found| plain(&found.email))
            .or_else(|| Some(plain(user)))
            .filter(|email| email.contains('@'))
    }

    fn find(&self, system: &SystemName, user: &str) -> Option<&User> {
        self.users.get(system)?.iter().find(|candidate| candidate.id == *user)
    }
}

fn plain(email: &str) -> String {
    email.trim().to_lowercase()
}
