//! The file manager (sheet: HubSpot section 2.7 \[spec/doc\]). A file is attached to a record through a
//! note that names it in `hs_attachment_ids`.

use md5::{Digest, Md5};
use serde_json::{Map, Value as Json, json};

use super::call::Call;
use super::instant::iso;
use super::portal::StoredFile;
use super::refusal::{Answer, Refusal};
use super::webhooks::hex;
use super::{Hubspot, no_content};
use crate::Reply;
use crate::journal::{Action, Change};
use crate::multipart::{Part, parts};

/// The values of `access` (sheet: section 2.7 \[spec\]).
const ACCESS: [&str; 8] = [
    "PUBLIC_INDEXABLE",
    "PUBLIC_NOT_INDEXABLE",
    "HIDDEN_INDEXABLE",
    "HIDDEN_NOT_INDEXABLE",
    "HIDDEN_PRIVATE",
    "PRIVATE",
    "HIDDEN_SENSITIVE",
    "SENSITIVE",
];
/// How long a signed URL lives without `expirationSeconds`.
const SIGNED_URL_SECONDS: i64 = 3_600;

/// `/files/v3/files...`
pub(crate) fn route(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    match (call.request.method.as_str(), call.path.len(), call.segment(3), call.segment(4)) {
        ("POST", 3, _, _) => upload(hub, call),
        ("GET" | "POST", 4, "search", _) => search(hub, call),
        ("POST", 5, "import-from-url", "async") => Err(unreachable_url(call)?),
        ("GET", 5.., "stat", _) => stat(hub, call),
        ("GET", 4, _, _) => Ok(Reply::json(200, &shown(hub, stored(hub, call)?))),
        ("PATCH", 4, _, _) => patch(hub, call),
        ("PUT", 4, _, _) => replace(hub, call),
        ("DELETE", 4, _, _) => {
            let id = stored(hub, call)?.id;
            hub.world.files.remove(&id);
            hub.changes.push(Change::new("files", id, Action::Deleted));
            Ok(no_content())
        }
        ("GET", 5, _, "signed-url") => signed_url(hub, call),
        ("GET", 5, _, "download") => Ok(content(stored(hub, call)?)),
        _ => Err(Refusal::no_record()),
    }
}

fn stored<'a>(hub: &'a Hubspot, call: &Call<'_>) -> Result<&'a StoredFile, Refusal> {
    let found = call.segment(3).parse().ok().and_then(|id: u64| hub.world.files.get(&id));
    found.ok_or_else(|| Refusal::not_found(format!("File {} does not exist", call.segment(3))))
}

/// The sandbox reaches no other host: every import is refused as unreachable.
fn unreachable_url(call: &Call<'_>) -> Result<Refusal, Refusal> {
    let body = call.object()?;
    let url = body.get("url").and_then(Json::as_str).unwrap_or("");
    if url.is_empty() {
        return Err(Refusal::json("Some required fields were not set: [url]"));
    }
    Ok(Refusal::invalid(format!("The URL {url} could not be reached")))
}

fn kind_of(extension: &str) -> &'static str {
    match extension.to_ascii_lowercase().as_str() {
        "png" | "jpg" | "jpeg" | "gif" | "svg" | "webp" | "bmp" | "tif" | "tiff" => "IMG",
        "pdf" | "doc" | "docx" | "xls" | "xlsx" | "ppt" | "pptx" | "txt" | "csv" | "odt" | "rtf" => "DOCUMENT",
        "mp3" | "wav" | "ogg" | "m4a" => "AUDIO",
        "mp4" | "mov" | "avi" | "webm" => "MOVIE",
        _ => "OTHER",
    }
}

/// A file as the API shows it. A private one has a URL that only a signed request opens.
fn shown(hub: &Hubspot, file: &StoredFile) -> Json {
    let full = full_name(file);
    let path = format!("{}/{full}", file.folder.trim_end_matches('/'));
    let portal = hub.world.account.portal_id;
    json!({
        "id": file.id.to_string(), "name": file.name, "extension": file.extension,
        "type": kind_of(&file.extension), "size": file.content.len(), "fileMd5": md5(&file.content),
        "path": path, "url": format!("https://{portal}.fs1.hubspotusercontent-eu1.net/hubfs/{portal}{path}"),
        "access": file.access, "parentFolderId": folder_id(&file.folder), "encoding": "none",
        "isUsableInContent": file.access.starts_with("PUBLIC"), "archived": false,
        "createdAt": iso(file.created_at), "updatedAt": iso(file.updated_at),
        "expiresAt": file.expires_at, "defaultHostingUrl": format!("https://{portal}.fs1.hubspotusercontent-eu1.net/hubfs/{portal}{path}"),
    })
}

/// `GET /files/v3/files/stat/{path}`: the file at a path, else the folder there (vendor's reference of
/// `FileStat`: `file` and `folder`, both optional). A path may come with its slashes encoded.
fn stat(hub: &Hubspot, call: &Call<'_>) -> Answer {
    let path: Vec<&str> = (4..call.path.len()).map(|at| call.segment(at)).collect();
    let path = path.join("/");
    let wanted = path.trim_matches('/');
    let folder_of = |file: &StoredFile| file.folder.trim_matches('/').to_owned();
    let full = |file: &StoredFile| format!("{}/{}", folder_of(file), full_name(file)).trim_matches('/').to_owned();
    if let Some(file) = hub.world.files.values().find(|file| full(file) == wanted) {
        return Ok(Reply::json(200, &json!({"file": shown(hub, file)})));
    }
    let inside = hub.world.files.values().filter(|file| folder_of(file) == wanted && !wanted.is_empty());
    let Some(since) = inside.map(|file| file.created_at).min() else {
        return Err(Refusal::not_found(format!("No file or folder at /{wanted}")));
    };
    let (above, name) = wanted.rsplit_once('/').unwrap_or(("", wanted));
    Ok(Reply::json(
        200,
        &json!({"folder": {"id": folder_id(wanted), "name": name, "path": format!("/{wanted}"),
            "parentFolderId": folder_id(above), "createdAt": iso(since), "updatedAt": iso(since), "archived": false}}),
    ))
}

fn full_name(file: &StoredFile) -> String {
    if file.extension.is_empty() { file.name.clone() } else { format!("{}.{}", file.name, file.extension) }
}

fn md5(content: &[u8]) -> String {
    hex(&Md5::digest(content))
}

/// Folders are their paths; the id is derived, so that it needs no table.
fn folder_id(path: &str) -> Option<String> {
    let path = path.trim_matches('/');
    if path.is_empty() {
        return None;
    }
    let hash = blake3::hash(path.as_bytes());
    let bytes = hash.as_bytes();
    Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]).to_string())
}

fn text<'a>(parts: &'a [Part<'_>], name: &str) -> Option<&'a str> {
    let part = parts.iter().find(|p| p.name == name && p.file_name.is_none())?;
    std::str::from_utf8(part.content).ok().filter(|t| !t.is_empty())
}

/// The upload's options: `access` is required (sheet: section 2.7 \[spec\]).
fn options(parts: &[Part<'_>]) -> Result<Map<String, Json>, Refusal> {
    let Some(options) = text(parts, "options") else {
        return Err(Refusal::invalid("Missing required part: options"));
    };
    let options: Map<String, Json> =
        serde_json::from_str(options).map_err(|_| Refusal::json("options is not a JSON object"))?;
    let access = options.get("access").and_then(Json::as_str).unwrap_or("");
    if !ACCESS.contains(&access) {
        return Err(Refusal::invalid(format!("access must be one of [{}]", ACCESS.join(", "))));
    }
    Ok(options)
}

fn folder(hub: &Hubspot, parts: &[Part<'_>]) -> Result<String, Refusal> {
    match (text(parts, "folderId"), text(parts, "folderPath")) {
        (None, Some(path)) => Ok(format!("/{}", path.trim_matches('/'))),
        (Some(id), None) => {
            let known = hub.world.files.values().find(|f| folder_id(&f.folder).as_deref() == Some(id));
            known.map(|f| f.folder.clone()).ok_or_else(|| Refusal::not_found(format!("Folder {id} does not exist")))
        }
        _ => Err(Refusal::invalid("Exactly one of folderId and folderPath must be set")),
    }
}

fn body_parts<'a>(call: &'a Call<'_>) -> Result<Vec<Part<'a>>, Refusal> {
    let content_type = call.request.header("content-type").unwrap_or("");
    if !content_type.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(Refusal::new(415, "", "Unsupported Media Type"));
    }
    parts(call.request).ok_or_else(|| Refusal::invalid("The multipart body is broken"))
}

fn upload(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let parts = body_parts(call)?;
    let Some(file) = parts.iter().find(|p| p.name == "file") else {
        return Err(Refusal::invalid("Missing required part: file"));
    };
    let options = options(&parts)?;
    let folder = folder(hub, &parts)?;
    let given = text(&parts, "fileName").map(str::to_owned).or_else(|| file.file_name.clone()).unwrap_or_default();
    if given.is_empty() {
        return Err(Refusal::invalid("The file has no name"));
    }
    let (name, extension) = split_name(&given, file.file_name.as_deref());
    let id = hub.world.next_file;
    hub.world.next_file += 1;
    let stored = StoredFile {
        id,
        name: free_name(hub, &folder, name, &extension, None),
        extension,
        access: options.get("access").and_then(Json::as_str).unwrap_or("PRIVATE").to_owned(),
        folder,
        content: file.content.to_vec(),
        created_at: call.now,
        updated_at: call.now,
        expires_at: None,
    };
    let reply = Reply::json(201, &shown(hub, &stored));
    let change = Change::new("files", id, Action::Created).with("fileMd5", Json::Null, md5(&stored.content).into());
    hub.world.files.insert(id, stored);
    hub.changes.push(change);
    Ok(reply)
}

/// Name and extension; a name without extension takes the one of the uploaded file.
fn split_name(given: &str, uploaded: Option<&str>) -> (String, String) {
    let split = |name: &str| match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && !extension.is_empty() => {
            Some((stem.to_owned(), extension.to_owned()))
        }
        _ => None,
    };
    split(given).unwrap_or_else(|| {
        (given.to_owned(), uploaded.and_then(split).map(|(_, extension)| extension).unwrap_or_default())
    })
}

/// A name that is taken in its folder gets a number, as HubSpot does.
fn free_name(hub: &Hubspot, folder: &str, name: String, extension: &str, own: Option<u64>) -> String {
    let taken = |wanted: &str| {
        hub.world
            .files
            .values()
            .any(|f| Some(f.id) != own && f.folder == folder && f.name == wanted && f.extension == extension)
    };
    if !taken(&name) {
        return name;
    }
    (1_u32..).map(|n| format!("{name}-{n}")).find(|wanted| !taken(wanted)).unwrap_or(name)
}

fn patch(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let body = call.object()?;
    let mut file = stored(hub, call)?.clone();
    let text = |name: &str| body.get(name).and_then(Json::as_str);
    if let Some(access) = text("access") {
        if !ACCESS.contains(&access) {
            return Err(Refusal::invalid(format!("access must be one of [{}]", ACCESS.join(", "))));
        }
        access.clone_into(&mut file.access);
    }
    if let Some(path) = text("parentFolderPath") {
        file.folder = format!("/{}", path.trim_matches('/'));
    }
    if let Some(name) = text("name") {
        file.name = free_name(hub, &file.folder, name.to_owned(), &file.extension, Some(file.id));
    }
    file.updated_at = call.now;
    let reply = Reply::json(200, &shown(hub, &file));
    hub.changes.push(Change::new("files", file.id, Action::Updated));
    hub.world.files.insert(file.id, file);
    Ok(reply)
}

fn replace(hub: &mut Hubspot, call: &Call<'_>) -> Answer {
    let mut file = stored(hub, call)?.clone();
    let parts = body_parts(call)?;
    let Some(new) = parts.iter().find(|p| p.name == "file") else {
        return Err(Refusal::invalid("Missing required part: file"));
    };
    file.content = new.content.to_vec();
    file.updated_at = call.now;
    let reply = Reply::json(200, &shown(hub, &file));
    hub.changes.push(Change::new("files", file.id, Action::Updated));
    hub.world.files.insert(file.id, file);
    Ok(reply)
}

/// `GET /files/v3/files/search?name&path&extension&type&ids&fileMd5&after&limit`
fn search(hub: &Hubspot, call: &Call<'_>) -> Answer {
    let limit = call.limit(10, 100)?;
    let from = call.after()?.unwrap_or(0);
    let ids = call.list("ids");
    let fits = |file: &StoredFile| {
        let full = format!("{}/{}", file.folder.trim_end_matches('/'), full_name(file));
        call.param("name").is_none_or(|name| full_name(file).contains(name))
            && call.param("path").is_none_or(|path| full.contains(path))
            && call.param("extension").is_none_or(|extension| file.extension == extension)
            && call.param("type").is_none_or(|kind| kind_of(&file.extension) == kind)
            && call.param("fileMd5").is_none_or(|hash| md5(&file.content) == hash)
            && call.param("parentFolderIds").is_none_or(|id| folder_id(&file.folder).as_deref() == Some(id))
            && (ids.is_empty() || ids.contains(&file.id.to_string()))
    };
    let mut found = hub.world.files.range(from..).map(|(_, f)| f).filter(|f| fits(f));
    let results: Vec<Json> = found.by_ref().take(limit).map(|f| shown(hub, f)).collect();
    let mut body: Json = [("results", Json::Array(results))].into_iter().collect();
    if let (Some(next), Some(body)) = (found.next(), body.as_object_mut()) {
        body.insert("paging".into(), json!({"next": {"after": next.id.to_string()}}));
    }
    Ok(Reply::json(200, &body))
}

/// The signed URL leads to the sandbox itself, at the host that the client called.
fn signed_url(hub: &Hubspot, call: &Call<'_>) -> Answer {
    let file = stored(hub, call)?;
    let seconds = match call.param("expirationSeconds") {
        None => SIGNED_URL_SECONDS,
        Some(text) => text.parse().map_err(|_| Refusal::invalid("expirationSeconds must be a number"))?,
    };
    let expires = call.now.saturating_add(seconds.saturating_mul(1_000));
    let host = call.request.header("host").unwrap_or("127.0.0.1");
    let signature = signature(hub, file.id, expires);
    Ok(Reply::json(
        200,
        &json!({"expiresAt": iso(expires), "extension": file.extension, "name": file.name,
            "size": file.content.len(), "type": kind_of(&file.extension),
            "url": format!("http://{host}/filemanager/api/v3/files/{}/signed?expires={expires}&signature={signature}", file.id)}),
    ))
}

fn signature(hub: &Hubspot, id: u64, expires: i64) -> String {
    hex(&hub.draw(&format!("signed-url {id}"), expires.unsigned_abs())[..16])
}

/// `GET /filemanager/api/v3/files/{id}/signed`: needs no token, only its signature.
pub(crate) fn signed(hub: &Hubspot, call: &Call<'_>) -> Answer {
    let id: u64 = call.segment(4).parse().map_err(|_| Refusal::no_record())?;
    let expires: i64 = call.param("expires").and_then(|t| t.parse().ok()).unwrap_or(0);
    let wanted = signature(hub, id, expires);
    if call.param("signature") != Some(wanted.as_str()) || expires < call.now {
        return Err(Refusal::new(403, "", "The link has expired"));
    }
    hub.world.files.get(&id).map(content).ok_or_else(Refusal::no_record)
}

fn content(file: &StoredFile) -> Reply {
    Reply {
        status: 200,
        headers: vec![
            ("content-type".into(), "application/octet-stream".into()),
            ("content-disposition".into(), format!("attachment; filename=\"{}\"", full_name(file))),
        ],
        body: file.content.clone(),
    }
}
