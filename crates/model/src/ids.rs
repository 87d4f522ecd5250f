//! Names and ids, each its own type, so that a record id cannot be passed for a user id.

use std::fmt;
use std::sync::Arc;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Wraps a text.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.into())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text.into())
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                &*self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                &*self.0 == *other
            }
        }
    };
}

id!(
    /// A system, under the name that the project file gives it: `old`, `new`.
    SystemName
);
id!(
    /// A kind of record in a system, as the platform's API names its collection: `persons`, `contacts`.
    ObjectName
);
id!(
    /// A field of an object, as the platform's API names it. Parts of a structured field have dotted
    /// names: `address.locality`.
    FieldName
);
id!(
    /// A flow, under the name that the project file gives it.
    FlowName
);
id!(
    /// A part of the company that moves on dates of its own, under the name that the project file gives it.
    CohortName
);
id!(
    /// A record's id within one system and object, as text whatever the platform makes of it.
    RecordId
);
id!(
    /// A user's id within one system.
    UserId
);
