//! Encryption with age: under a key that opens again, or to the recipients of an export.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use age::stream::StreamWriter;
use age::{DecryptError, scrypt, x25519};
use secrecy::{ExposeSecret as _, SecretString};

use super::Failure;
use crate::config::Replacement;
use crate::problem::Problem;

/// How much work a passphrase costs whoever tries one, as a power of two: some tenths of a second and 64 MB.
const WORK: u8 = 16;

/// The most that is done to read a file, so that nobody's file keeps us busy for hours.
const MOST_WORK: u8 = 20;

/// A key that is there.
pub(crate) enum Opened {
    Passphrase(SecretString),
    Identity(Box<x25519::Identity>),
}

impl Opened {
    /// The identity in the text of an identity file: the first line that is no comment.
    pub(crate) fn identity(text: &SecretString) -> Option<Self> {
        let line =
            text.expose_secret().lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?;
        line.parse().ok().map(|identity| Self::Identity(Box::new(identity)))
    }

    pub(super) fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, age::EncryptError> {
        match self {
            Self::Passphrase(text) => {
                let mut recipient = scrypt::Recipient::new(text.clone());
                recipient.set_work_factor(WORK);
                age::encrypt(&recipient, plain)
            }
            Self::Identity(identity) => age::encrypt(&identity.to_public(), plain),
        }
    }

    pub(super) fn decrypt(&self, file: &Path, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
        let plain = match self {
            Self::Passphrase(text) => {
                let mut identity = scrypt::Identity::new(text.clone());
                identity.set_max_work_factor(MOST_WORK);
                age::decrypt(&identity, bytes)
            }
            Self::Identity(identity) => age::decrypt(identity.as_ref(), bytes),
        };
        plain.map_err(|error| match error {
            DecryptError::DecryptionFailed | DecryptError::KeyDecryptionFailed | DecryptError::NoMatchingKeys => {
                Failure::WrongKey(file.to_owned())
            }
            _ => Failure::Damaged(file.to_owned()),
        })
    }
}

/// To whom an export is encrypted.
#[derive(Default, clap::Args)]
pub(crate) struct Recipients {
    /// Encrypt what is written to this age public key; may be given several times
    #[arg(long = "encrypt-to", value_name = "RECIPIENT")]
    encrypt_to: Vec<String>,
}

impl Recipients {
    /// Refuses what is no recipient, before work is done that could not be written then.
    ///
    /// # Errors
    /// When a recipient is none, or when there is no `file` to encrypt.
    pub(crate) fn check(&self, file: Option<&Path>) -> Result<(), Problem> {
        if !self.encrypt_to.is_empty() && file.is_none() {
            let problem = Problem::new("recipient", "`--encrypt-to` has no file to encrypt");
            return Err(problem.state("nothing was read or written").hint("say which: `--html FILE`"));
        }
        self.keys().map(drop)
    }

    fn keys(&self) -> Result<Vec<x25519::Recipient>, Problem> {
        self.encrypt_to.iter().map(|text| key(text)).collect()
    }

    /// Opens what an export is written to: a file that only its owner can read and that is there once it is whole,
    /// standard output without one.
    ///
    /// # Errors
    /// When a recipient is none; nothing is written then. When the file cannot be made.
    pub(crate) fn open(
        &self,
        file: Option<&Path>,
        unwritten: &dyn Fn(&io::Error) -> Problem,
    ) -> Result<Sealed, Problem> {
        let keys = self.keys()?;
        let plain = file.map_or_else(|| Ok(Target::Stream(Box::new(io::stdout()))), Target::open);
        let plain = plain.map_err(|error| unwritten(&error))?;
        if keys.is_empty() {
            return Ok(Sealed::Plain(plain));
        }
        let all = keys.iter().map(|key| key as &dyn age::Recipient);
        let encryptor = age::Encryptor::with_recipients(all)
            .map_err(|error| Problem::ours("recipient", "the recipients cannot be used together").because(&error))?;
        let sealed = encryptor.wrap_output(plain).map_err(|error| unwritten(&error))?;
        Ok(Sealed::Encrypted(Box::new(sealed)))
    }
}

fn key(text: &str) -> Result<x25519::Recipient, Problem> {
    text.trim().parse().map_err(|_| {
        let hint = "a recipient begins with `age1` and is what `age-keygen` shows as the public key";
        let is_secret = text.trim().to_ascii_uppercase().starts_with("AGE-SECRET-KEY-");
        let problem = Problem::new("recipient", "what `--encrypt-to` names is no age public key").hint(hint);
        let problem = problem.state("nothing was written");
        if is_secret {
            problem.hint("it is the secret key: it stands in the shell's history now, so make a new one")
        } else {
            problem
        }
    })
}

/// What an export is written to.
pub(crate) enum Sealed {
    /// As it is.
    Plain(Target),
    /// Encrypted.
    Encrypted(Box<StreamWriter<Target>>),
}

/// Where an export goes.
pub(crate) enum Target {
    /// Standard output, a pipe, a terminal.
    Stream(Box<dyn Write>),
    /// A file.
    File(BufWriter<Replacement>),
}

impl Target {
    fn open(file: &Path) -> io::Result<Self> {
        match std::fs::metadata(file) {
            // A pipe or a terminal by its name.
            Ok(there) if !there.is_file() && !there.is_dir() => {
                Ok(Self::Stream(Box::new(File::options().write(true).open(file)?)))
            }
            _ => Ok(Self::File(BufWriter::new(Replacement::begin(file, true)?))),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Stream(mut stream) => stream.flush(),
            Self::File(file) => file.into_inner().map_err(io::IntoInnerError::into_error)?.finish(),
        }
    }
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stream(stream) => stream.write(bytes),
            Self::File(file) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stream(stream) => stream.flush(),
            Self::File(file) => file.flush(),
        }
    }
}

impl Sealed {
    /// Ends it: only then the file is there.
    ///
    /// # Errors
    /// The disk's.
    pub(crate) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.finish(),
            Self::Encrypted(sealed) => sealed.finish()?.finish(),
        }
    }
}

impl Write for Sealed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.write(bytes),
            Self::Encrypted(sealed) => sealed.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(plain) => plain.flush(),
            Self::Encrypted(sealed) => sealed.flush(),
        }
    }
}
