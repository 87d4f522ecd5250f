//! What an app signs to buy a token for a user: a JSON Web Token (RFC 7523), signed by RSA with SHA-256.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::{Fault, FaultKind};

/// How long it holds, in seconds: platforms bear three minutes (sheet: Salesforce section 1 \[code\]).
const LIFE_S: i64 = 180;

/// Signs for `subject` in the name of `issuer`, for the token endpoint of `audience`.
///
/// # Errors
/// A fault of kind [`FaultKind::Auth`] when the key cannot be read; nothing of it is part of the fault.
pub(crate) fn sign(
    key: &SecretString,
    issuer: &str,
    subject: &str,
    audience: &str,
    now: Timestamp,
) -> Result<SecretString, Fault> {
    let pair = key_pair(key.expose_secret()).map_err(|why| Fault::new(FaultKind::Auth, "private_key", why))?;
    let claims = json!({ "iss": issuer, "sub": subject, "aud": audience, "exp": now.as_second() + LIFE_S });
    let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let text = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims));
    let mut signature = vec![0; pair.public().modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| Fault::new(FaultKind::Auth, "private_key", "the private key cannot sign"))?;
    Ok(SecretString::from(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// A key in PEM: PKCS #8, or RSA's own form.
fn key_pair(pem: &str) -> Result<RsaKeyPair, &'static str> {
    let between = |name: &str| {
        let (_, rest) = pem.split_once(&format!("-----BEGIN {name}-----"))?;
        let (body, _) = rest.split_once(&format!("-----END {name}-----"))?;
        STANDARD.decode(body.split_whitespace().collect::<String>()).ok()
    };
    let pair = if let Some(der) = between("PRIVATE KEY") {
        RsaKeyPair::from_pkcs8(&der)
    } else if let Some(der) = between("RSA PRIVATE KEY") {
        RsaKeyPair::from_der(&der)
    } else {
        return Err("the private key is not RSA in PEM without a password");
    };
    pair.map_err(|_| "the private key is not a whole RSA key of 2048 to 4096 bits")
}
