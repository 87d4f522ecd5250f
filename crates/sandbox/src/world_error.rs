//! What is wrong with a world file.

/// Why a world file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The file has a key that it may not have, or a value of a wrong type.
    #[error("failed reading the world file")]
    Shape(#[source] serde_json::Error),
    /// Something in the file does not fit together.
    #[error("the world file: {0}")]
    Wrong(String),
}

/// Something that does not fit together.
pub(crate) fn wrong(message: impl Into<String>) -> WorldError {
    WorldError::Wrong(message.into())
}
