//! Bytes of any encoding as a stream of UTF-8, with the line in every complaint.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use chardetng::EncodingDetector;
use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::Error;

const CHUNK: usize = 64 * 1024;

/// The encoding of a file, and why.
pub(crate) fn detect(path: &Path) -> Result<(&'static Encoding, String), Error> {
    let read = || Error::io("read", path);
    let mut file = File::open(path).map_err(read())?;
    let mut chunk = vec![0; CHUNK];
    let mut detector = EncodingDetector::new();
    let mut utf8 = UTF_8.new_decoder_without_bom_handling();
    let mut scratch = String::with_capacity(CHUNK * 3);
    let (mut first, mut valid, mut ascii) = (true, true, true);
    loop {
        let length = read_full(&mut file, &mut chunk).map_err(read())?;
        let bytes = chunk.get(..length).unwrap_or_default();
        if first {
            if let Some((encoding, _)) = Encoding::for_bom(bytes) {
                return Ok((encoding, "the byte order mark".to_owned()));
            }
            if let Some(encoding) = utf16_without_mark(bytes) {
                return Ok((encoding, "every other byte of its beginning is zero".to_owned()));
            }
            first = false;
        }
        let last = length < CHUNK;
        ascii &= bytes.is_ascii();
        detector.feed(bytes, last);
        if valid {
            scratch.clear();
            let (result, _) = utf8.decode_to_string_without_replacement(bytes, &mut scratch, last);
            valid = matches!(result, DecoderResult::InputEmpty);
        }
        if last {
            break;
        }
    }
    if valid {
        let why = if ascii { "there are only ASCII characters" } else { "all its bytes are valid UTF-8" };
        return Ok((UTF_8, why.to_owned()));
    }
    let (encoding, sure) = detector.guess_assess(None, false);
    let why = if sure {
        "its bytes look like it"
    } else {
        "its bytes look like it, but not surely: look at names with accents"
    };
    Ok((encoding, why.to_owned()))
}

fn read_full(file: &mut File, chunk: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(rest) = chunk.get_mut(length..).filter(|rest| !rest.is_empty()) {
        match file.read(rest)? {
            0 => break,
            read => length += read,
        }
    }
    Ok(length)
}

/// Text in Latin letters as UTF-16 has a zero in every other byte.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static Encoding> {
    let sample = bytes.get(..bytes.len().min(4096) & !1)?;
    let pairs = sample.len() / 2;
    let zeros = |offset: usize| sample.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match () {
        () if pairs < 2 => None,
        () if odd * 10 > pairs * 6 && even == 0 => Some(UTF_16LE),
        () if even * 10 > pairs * 6 && odd == 0 => Some(UTF_16BE),
        () => None,
    }
}

/// A file as UTF-8. Counts lines; refuses what is no text; limits how much is read for one record.
pub(crate) struct Utf8 {
    file: BufReader<File>,
    decoder: encoding_rs::Decoder,
    encoding: &'static Encoding,
    input: Vec<u8>,
    taken: usize,
    output: String,
    given: usize,
    ended: bool,
    line: u64,
    allowance: u64,
}

/// A complaint of the stream, found again in the error that the parser passes on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Complaint {
    #[error("a NUL byte, which no text has")]
    Nul { line: u64 },
    #[error("bytes that are no {encoding}; set the right `encoding` for the system")]
    Encoding { line: u64, encoding: &'static str },
    #[error("the record is too large")]
    TooLarge,
}

impl Utf8 {
    pub(crate) fn open(path: &Path, encoding: &'static Encoding) -> Result<Self, Error> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        Ok(Self {
            file: BufReader::with_capacity(CHUNK, file),
            decoder: encoding.new_decoder_with_bom_removal(),
            encoding,
            input: Vec::new(),
            taken: 0,
            output: String::with_capacity(CHUNK),
            given: 0,
            ended: false,
            line: 1,
            allowance: u64::MAX,
        })
    }

    /// How many more bytes may be read before the record counts as too large.
    pub(crate) fn allow(&mut self, bytes: u64) {
        self.allowance = bytes;
    }

    fn fill(&mut self) -> io::Result<()> {
        self.output.clear();
        self.given = 0;
        while self.output.is_empty() && !self.ended {
            if self.taken >= self.input.len() {
                self.input.resize(CHUNK, 0);
                let length = self.file.read(&mut self.input)?;
                self.input.truncate(length);
                self.taken = 0;
            }
            let last = self.input.is_empty();
            let input = self.input.get(self.taken..).unwrap_or_default();
            let (result, read) = self.decoder.decode_to_string_without_replacement(input, &mut self.output, last);
            self.taken += read;
            match result {
                DecoderResult::InputEmpty => self.ended |= last,
                DecoderResult::OutputFull => {}
                DecoderResult::Malformed(..) => {
                    let line = self.line + newlines(&self.output);
                    return Err(io::Error::other(Complaint::Encoding { line, encoding: self.encoding.name() }));
                }
            }
        }
        if let Some(at) = self.output.find('\0') {
            let line = self.line + newlines(self.output.get(..at).unwrap_or_default());
            return Err(io::Error::other(Complaint::Nul { line }));
        }
        self.line += newlines(&self.output);
        Ok(())
    }
}

fn newlines(text: &str) -> u64 {
    text.bytes().filter(|byte| *byte == b'\n').count() as u64
}

impl Read for Utf8 {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.given >= self.output.len() {
            if self.allowance == 0 {
                return Err(io::Error::other(Complaint::TooLarge));
            }
            self.fill()?;
            self.allowance = self.allowance.saturating_sub(self.output.len() as u64);
        }
        let rest = self.output.as_bytes().get(self.given..).unwrap_or_default();
        let length = rest.len().min(into.len());
        if let (Some(into), Some(rest)) = (into.get_mut(..length), rest.get(..length)) {
            into.copy_from_slice(rest);
        }
        self.given += length;
        Ok(length)
    }
}
