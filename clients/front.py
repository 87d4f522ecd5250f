"""Answers for the vendors' own addresses, for clients that know no other or that want TLS.

A proxy on loopback with a certificate made on the spot: whatever a client sends through it arrives at the
sandbox, whatever the host. Clients find it and believe it through the environment, as behind a company's
proxy; not a line of theirs is changed."""

import asyncio
import datetime
import os
import pathlib
import ssl
import tempfile
import threading
import urllib.parse

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from steps import SANDBOX

PIECE = 65_536
READY_S = 10
_folder = tempfile.TemporaryDirectory(prefix="handover-front-")


def stand_for(*hosts):
    """Starts the proxy. Must be called before the first request."""
    bundle = os.path.join(_folder.name, "front.pem")
    pathlib.Path(bundle).write_bytes(_certificate(hosts))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(bundle)
    ready = threading.Event()
    port = []
    threading.Thread(target=lambda: asyncio.run(_listen(context, port, ready)), daemon=True).start()
    if not ready.wait(READY_S):
        raise RuntimeError("the proxy does not listen")
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        os.environ[name] = f"http://127.0.0.1:{port[0]}"
    for name in ("NO_PROXY", "no_proxy"):
        os.environ.pop(name, None)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        os.environ[name] = bundle


def _certificate(hosts):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "handover sandbox")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + certificate.public_bytes(serialization.Encoding.PEM)


async def _listen(context, port, ready):
    async def serve(reader, writer):
        try:
            await _pass_on(context, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port.append(server.sockets[0].getsockname()[1])
    ready.set()
    await server.serve_forever()


async def _pass_on(context, reader, writer):
    """One connection: a tunnel that ends here, or plain requests, of which the first head is read already."""
    head = await reader.readuntil(b"\r\n\r\n")
    if head.startswith(b"CONNECT "):
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        await writer.start_tls(context)
        head = b""
    address = urllib.parse.urlsplit(SANDBOX["base_url"])
    sandbox_reader, sandbox_writer = await asyncio.open_connection(address.hostname, address.port)
    sandbox_writer.write(head)
    await asyncio.gather(_pump(reader, sandbox_writer), _pump(sandbox_reader, writer))


async def _pump(reader, writer):
    try:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
    finally:
        writer.close()
