//! Archives of one file: packed without compression, unpacked with and without (RFC 1951).

/// An archive of one file.
pub(super) fn pack(name: &str, bytes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes();
    let name_size = u16::try_from(name.len()).unwrap_or(0).to_le_bytes();
    // Version, flags, method, time, date; then what both headers share.
    let mut shared = vec![20, 0, 0, 8, 0, 0, 0, 0, 0x21, 0];
    shared.extend(crc(bytes).to_le_bytes());
    shared.extend(size);
    shared.extend(size);
    shared.extend(name_size);
    shared.extend([0, 0]);
    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&shared);
    archive.extend(name.as_bytes());
    archive.extend(bytes);
    let directory = archive.len();
    archive.extend(b"PK\x01\x02\x14\x00");
    archive.extend(&shared);
    archive.extend([0; 14]);
    archive.extend(name.as_bytes());
    let length = archive.len() - directory;
    archive.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    archive.extend(u32::try_from(length).unwrap_or(0).to_le_bytes());
    archive.extend(u32::try_from(directory).unwrap_or(0).to_le_bytes());
    archive.extend([0, 0]);
    archive
}

/// The name and the bytes of an archive's only file; none if it is no such archive.
pub(super) fn unpack(archive: &[u8]) -> Option<(String, Vec<u8>)> {
    let end = archive.windows(4).rposition(|window| window == b"PK\x05\x06")?;
    let directory = usize::try_from(number(archive, end + 16, 4)?).ok()?;
    if number(archive, end + 10, 2)? != 1 || archive.get(directory..directory + 4)? != b"PK\x01\x02" {
        return None;
    }
    let size = |at: usize, length: usize| usize::try_from(number(archive, directory + at, length)?).ok();
    let (method, packed, whole) = (size(10, 2)?, size(20, 4)?, size(24, 4)?);
    let (name_size, start) = (size(28, 2)?, size(42, 4)?);
    let name = String::from_utf8_lossy(archive.get(directory + 46..directory + 46 + name_size)?).into_owned();
    let skip = usize::try_from(number(archive, start + 26, 2)? + number(archive, start + 28, 2)?).ok()?;
    let data = archive.get(start + 30 + skip..)?.get(..packed)?;
    let bytes = match method {
        0 => data.to_vec(),
        8 => inflate(data, whole)?,
        _ => return None,
    };
    (bytes.len() == whole && u64::from(crc(&bytes)) == number(archive, directory + 16, 4)?).then_some((name, bytes))
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let bytes = bytes.get(at..at + length)?;
    Some(bytes.iter().rev().fold(0, |sum, byte| (sum << 8) | u64::from(*byte)))
}

fn crc(bytes: &[u8]) -> u32 {
    let mut table = [0_u32; 256];
    for (n, entry) in (0_u32..).zip(table.iter_mut()) {
        *entry = (0..8).fold(n, |sum, _| if sum & 1 == 1 { 0xEDB8_8320 ^ (sum >> 1) } else { sum >> 1 });
    }
    let step = |sum: u32, byte: &u8| {
        let place = usize::from((sum & 0xFF) as u8 ^ byte);
        table.get(place).copied().unwrap_or(0) ^ (sum >> 8)
    };
    !bytes.iter().fold(!0, step)
}

/// Bits of a stream, the lowest first.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> Option<usize> {
        let mut value = 0;
        for n in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            value |= usize::from(byte >> (self.at % 8) & 1) << n;
            self.at += 1;
        }
        Some(value)
    }

    /// The symbol of the next code.
    fn symbol(&mut self, code: &Code) -> Option<usize> {
        let (mut value, mut first, mut index) = (0, 0, 0);
        for count in code.counts.iter().skip(1) {
            value |= self.take(1)?;
            if value < first + count {
                return code.symbols.get(index + value - first).copied();
            }
            index += count;
            first = (first + count) << 1;
            value <<= 1;
        }
        None
    }
}

/// A Huffman code: how many symbols each length has, and the symbols in order.
struct Code {
    counts: [usize; 16],
    symbols: Vec<usize>,
}

impl Code {
    fn of(lengths: &[usize]) -> Option<Self> {
        let mut counts = [0; 16];
        for length in lengths {
            *counts.get_mut(*length)? += 1;
        }
        let mut symbols: Vec<usize> = (0..lengths.len()).filter(|n| lengths.get(*n).is_some_and(|l| *l > 0)).collect();
        symbols.sort_by_key(|n| (lengths.get(*n).copied(), *n));
        counts[0] = 0;
        Some(Self { counts, symbols })
    }
}

const BASE: [usize; 29] =
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const EXTRA: [usize; 29] = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const FAR: [usize; 30] = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
];

/// The bytes of a compressed stream, `most` at most.
fn inflate(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut bits = Bits { bytes, at: 0 };
    let mut out = Vec::new();
    loop {
        let is_last = bits.take(1)? == 1;
        match bits.take(2)? {
            0 => {
                let start = bits.at.div_ceil(8);
                let length = usize::try_from(number(bytes, start, 2)?).ok()?;
                out.extend(bytes.get(start + 4..start + 4 + length)?);
                bits.at = (start + 4 + length) * 8;
            }
            1 => {
                let lengths: Vec<usize> = (0..288)
                    .map(|n| match n {
                        0..=143 => 8,
                        144..=255 => 9,
                        256..=279 => 7,
                        _ => 8,
                    })
                    .collect();
                block(&mut bits, &mut out, &Code::of(&lengths)?, &Code::of(&[5; 30])?, most)?;
            }
            2 => {
                let (literals, distances) = codes(&mut bits)?;
                block(&mut bits, &mut out, &literals, &distances, most)?;
            }
            _ => return None,
        }
        if out.len() > most {
            return None;
        }
        if is_last {
            return Some(out);
        }
    }
}

fn codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let (literals, distances, count) = (bits.take(5)? + 257, bits.take(5)? + 1, bits.take(4)? + 4);
    let mut lengths = [0; 19];
    for place in ORDER.iter().take(count) {
        *lengths.get_mut(*place)? = bits.take(3)?;
    }
    let code = Code::of(&lengths)?;
    let mut all: Vec<usize> = Vec::new();
    while all.len() < literals + distances {
        let (value, times) = match bits.symbol(&code)? {
            16 => (*all.last()?, bits.take(2)? + 3),
            17 => (0, bits.take(3)? + 3),
            18 => (0, bits.take(7)? + 11),
            length => (length, 1),
        };
        all.extend(std::iter::repeat_n(value, times));
    }
    Some((Code::of(all.get(..literals)?)?, Code::of(all.get(literals..literals + distances)?)?))
}

fn block(bits: &mut Bits<'_>, out: &mut Vec<u8>, literals: &Code, distances: &Code, most: usize) -> Option<()> {
    loop {
        match bits.symbol(literals)? {
            byte @ 0..=255 => out.push(u8::try_from(byte).ok()?),
            256 => return Some(()),
            symbol => {
                let length = BASE.get(symbol - 257)? + bits.take(*EXTRA.get(symbol - 257)?)?;
                let far = bits.symbol(distances)?;
                let distance = FAR.get(far)? + bits.take((far / 2).saturating_sub(1))?;
                let start = out.len().checked_sub(distance)?;
                for n in 0..length {
                    out.push(*out.get(start + n)?);
                }
            }
        }
        if out.len() > most {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{inflate, pack, unpack};

    #[test]
    fn what_was_packed_is_unpacked() {
        let archive = pack("a.csv", b"Id,Name\n1,x\n");
        assert_eq!(unpack(&archive), Some(("a.csv".to_owned(), b"Id,Name\n1,x\n".to_vec())));
        assert_eq!(unpack(b"PK"), None);
        assert_eq!(unpack(&archive[..archive.len() - 4]), None);
    }

    #[test]
    fn compressed_streams_are_read() {
        // "aaaaaaaaaaaaaaaaaaaa" with a fixed code; "hello" without one.
        let fixed = [0x4b, 0x4c, 0xc4, 0x04, 0x00];
        assert_eq!(inflate(&fixed, 100), Some(b"a".repeat(20)));
        let plain = [0x01, 5, 0, 0xfa, 0xff, b'h', b'e', b'l', b'l', b'o'];
        assert_eq!(inflate(&plain, 100), Some(b"hello".to_vec()));
        assert_eq!(inflate(&fixed, 10), None);
        assert_eq!(inflate(&[0x07], 10), None);
    }

    #[test]
    fn streams_with_a_code_of_their_own_are_read() {
        let mut x: u64 = 1;
        let mut letter = || {
            x = (x * 1_103_515_245 + 12_345) % 2_147_483_648;
            b"aaabbcd"[usize::try_from((x >> 16) % 7).unwrap()]
        };
        let letters: Vec<u8> = (0..100).map(|_| letter()).collect();
        let packed = "258bb10d00300cc26e05e7ff1b6ad40c208869c95d2e705cf3cfa24acdf321d42c45562223324bdc75163a64e28abd2a\
             c503";
        let byte = |n: usize| u8::from_str_radix(&packed[2 * n..2 * n + 2], 16).unwrap();
        let packed: Vec<u8> = (0..packed.len() / 2).map(byte).collect();
        assert_eq!(inflate(&packed, 1_000), Some(letters));
    }
}
