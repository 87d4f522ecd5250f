//! How alerts leave: a POST to an address of the user's, and mail.

use std::time::Duration;

use handover_connect::{Body, HttpTransport, Method, Transport as _, WireRequest};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::ExposeSecret as _;
use serde_json::json;

use super::{Message, State};
use crate::config::{Alerts, Email, Secret, Security};

/// How long a channel may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// Sends messages through every channel at once; gives why channels failed.
pub(crate) async fn all(project: &str, alerts: &Alerts, messages: &[Message]) -> Vec<String> {
    let webhook = async {
        match &alerts.webhook {
            Some(address) => bounded("the webhook", post(project, address, messages)).await,
            None => None,
        }
    };
    let email = async {
        match &alerts.email {
            Some(email) => bounded("the mail server", mail(project, email, messages)).await,
            None => None,
        }
    };
    let (webhook, email) = futures::join!(webhook, email);
    [webhook, email].into_iter().flatten().collect()
}

/// Why it failed, if it did.
async fn bounded(what: &str, sending: impl Future<Output = Result<(), String>>) -> Option<String> {
    let why = match tokio::time::timeout(TIMEOUT, sending).await {
        Ok(Ok(())) => return None,
        Ok(Err(why)) => why,
        Err(_) => format!("no answer within {} s", TIMEOUT.as_secs()),
    };
    Some(format!("an alert could not be sent: {what}: {why}"))
}

/// `{project, text, alerts: [{key, state, title, text}]}`; chats show `text`.
async fn post(project: &str, address: &Secret, messages: &[Message]) -> Result<(), String> {
    let address = address.read()?;
    // What is wrong with it may quote it.
    let url = url::Url::parse(address.expose_secret()).map_err(|_| "its address is none".to_owned())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("its address does not begin with https://".to_owned());
    }
    let text = messages.iter().map(line).collect::<Vec<_>>().join("\n");
    let body = json!({"project": project, "text": format!("Handover, {project}:\n{text}"), "alerts": messages});
    let request = WireRequest {
        method: Method::Post,
        url,
        headers: Vec::new(),
        body: Body::Json(body.to_string().into_bytes()),
        sink: None,
    };
    let http = HttpTransport::new().map_err(|error| error.to_string())?;
    let reply = http.send(request, TIMEOUT).await.map_err(|error| error.to_string())?;
    if (200..300).contains(&reply.status) {
        Ok(())
    } else {
        Err(format!("it answered with the status {}", reply.status))
    }
}

async fn mail(project: &str, email: &Email, messages: &[Message]) -> Result<(), String> {
    let said = |error: lettre::transport::smtp::Error| match error.status() {
        // A server may quote addresses in its sentence.
        Some(status) => format!("it answered {status}"),
        None => error.to_string(),
    };
    let builder = match email.security {
        Security::Tls => AsyncSmtpTransport::<Tokio1Executor>::relay(&email.host).map_err(said)?,
        Security::StartTls => AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&email.host).map_err(said)?,
        Security::Local => AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&email.host),
    };
    let mut builder = builder.port(email.port).timeout(Some(TIMEOUT));
    if let Some((user, password)) = &email.login {
        let password = password.read()?.expose_secret().to_owned();
        builder = builder.credentials(Credentials::new(user.clone(), password));
    }
    let mut message = lettre::Message::builder().from(email.from.clone()).subject(subject(project, messages));
    for to in &email.to {
        message = message.to(to.clone());
    }
    let lines: Vec<String> = messages.iter().map(line).collect();
    let message = message.body(lines.join("\n\n") + "\n").map_err(|error| error.to_string())?;
    builder.build().send(message).await.map(drop).map_err(said)
}

fn subject(project: &str, messages: &[Message]) -> String {
    let first =
        messages.first().map(|message| format!("{}{}", prefix(message.state), message.title)).unwrap_or_default();
    match messages.len() {
        0 | 1 => format!("Handover, {project}: {first}"),
        many => format!("Handover, {project}: {first}, and {} more", many - 1),
    }
}

fn line(message: &Message) -> String {
    format!("{}{}: {}", prefix(message.state), message.title, message.text)
}

fn prefix(state: State) -> &'static str {
    match state {
        State::New => "",
        State::Still => "still: ",
        State::Resolved => "over: ",
    }
}
