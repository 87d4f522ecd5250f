//! A gate between the binary and a served sandbox: the first request that a test waits for finds the account
//! changed, whatever the binary had read of it before.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is done to a request before it goes on: its bytes as they came, head first.
type Hook = dyn Fn(&str, &[u8]) -> Vec<u8> + Send + Sync;

/// Listens on an address of its own and passes everything on.
pub(super) struct Gate {
    pub(super) base_url: String,
}

impl Gate {
    /// Opens a gate to `base_url`; every chunk that begins a request passes through `hook`, which is given
    /// the address behind the gate.
    pub(super) fn open(base_url: &str, hook: impl Fn(&str, &[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let behind = base_url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let gate = Self { base_url: format!("http://{}", listener.local_addr().unwrap()) };
        let hook: Arc<Hook> = Arc::new(hook);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&behind)) else { return };
                let (back, forth) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                let (hook, behind) = (hook.clone(), behind.clone());
                std::thread::spawn(move || pass(forth, server, |bytes| hook(&behind, bytes)));
                std::thread::spawn(move || pass(back, client, <[u8]>::to_vec));
            }
        });
        gate
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, hook: impl Fn(&[u8]) -> Vec<u8>) {
    let mut chunk = vec![0; 1 << 16];
    while let Ok(read) = from.read(&mut chunk) {
        if read == 0 || to.write_all(&hook(&chunk[..read])).is_err() {
            break;
        }
    }
    drop((from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both)));
}

/// Whether a chunk begins a request of this method and path.
pub(super) fn begins(bytes: &[u8], method_and_path: &str) -> bool {
    bytes.starts_with(method_and_path.as_bytes())
}

/// True once, for the first who asks.
pub(super) fn once(done: &AtomicBool) -> bool {
    !done.swap(true, Ordering::SeqCst)
}

/// Sends one request of an administrator to `address`; fails unless it is answered with a 2xx.
pub(super) fn administer(address: &str, token: &str, method: &str, path: &str, body: &str) {
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nx-api-token: {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    assert!(reply.starts_with("HTTP/1.1 2"), "{method} {path}: {reply}");
}
