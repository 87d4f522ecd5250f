//! Bodies piece by piece, and files in Base64, where a platform has no other form for bytes: encoded and decoded on
//! their way.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt as _};

use crate::dialect::Piece;

/// Chunks of bytes.
pub type Chunks = BoxStream<'static, std::io::Result<Vec<u8>>>;

/// A body's pieces one behind the other, and how long they are in all.
///
/// # Errors
/// When a staged file cannot be opened.
pub async fn joined(pieces: Vec<Piece>) -> std::io::Result<(u64, Chunks)> {
    let mut all = Vec::with_capacity(pieces.len());
    let mut length = 0_u64;
    for piece in pieces {
        all.push(match piece {
            Piece::Text(text) => {
                length += text.len() as u64;
                futures::stream::iter([Ok(text.into_bytes())]).boxed()
            }
            Piece::Base64 { path, bytes } => {
                length += bytes.div_ceil(3).saturating_mul(4);
                encoded(chunks(tokio::fs::File::open(&path).await?)).boxed()
            }
        });
    }
    Ok((length, futures::stream::iter(all).flatten().boxed()))
}

/// A file as a stream of chunks, so that uploads do not stand in memory.
pub(crate) fn chunks(file: tokio::fs::File) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
    futures::stream::unfold(file, |mut file| async move {
        use tokio::io::AsyncReadExt as _;
        let mut chunk = vec![0; 64 * 1024];
        match file.read(&mut chunk).await {
            Ok(0) => None,
            Ok(read) => {
                chunk.truncate(read);
                Some((Ok(chunk), file))
            }
            Err(error) => Some((Err(error), file)),
        }
    })
}

/// Chunks of a file, encoded. Three bytes make four letters, so what is left of a chunk goes with the next one.
fn encoded(
    chunks: impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static,
) -> impl Stream<Item = std::io::Result<Vec<u8>>> + Send + 'static {
    futures::stream::unfold((chunks.boxed(), Vec::new(), false), |(mut chunks, mut left, is_over)| async move {
        if is_over {
            return None;
        }
        match chunks.next().await {
            Some(Ok(chunk)) => {
                left.extend_from_slice(&chunk);
                let rest = left.split_off(left.len() - left.len() % 3);
                Some((Ok(STANDARD.encode(left).into_bytes()), (chunks, rest, false)))
            }
            Some(Err(error)) => Some((Err(error), (chunks, Vec::new(), true))),
            None => Some((Ok(STANDARD.encode(left).into_bytes()), (chunks, Vec::new(), true))),
        }
    })
}

/// Reads Base64 as it comes.
#[derive(Default)]
pub struct Decoder {
    left: Vec<u8>,
}

impl Decoder {
    /// The bytes that some more letters stand for.
    ///
    /// # Errors
    /// In words, when they are no Base64.
    pub fn take(&mut self, letters: &[u8]) -> Result<Vec<u8>, String> {
        self.left.extend(letters.iter().filter(|letter| !letter.is_ascii_whitespace()));
        let rest = self.left.split_off(self.left.len() - self.left.len() % 4);
        let whole = std::mem::replace(&mut self.left, rest);
        STANDARD.decode(whole).map_err(|error| format!("the file is no Base64: {error}"))
    }

    /// Sees to it that nothing is missing.
    ///
    /// # Errors
    /// In words, when letters are left.
    pub fn end(self) -> Result<(), String> {
        if self.left.is_empty() { Ok(()) } else { Err("the file in Base64 is cut off".to_owned()) }
    }
}
