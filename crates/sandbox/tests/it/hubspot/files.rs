//! Files: upload, signed URLs, notes with attachments.

use handover_sandbox::{Reply, Request};
use serde_json::{Value as Json, json};

use super::{Client, body, refused};

fn upload(client: &mut Client, name: &str, content: &[u8], fields: &[(&str, &str)]) -> (u16, Json) {
    let mut request =
        client.request("POST", "/files/v3/files").with_header("content-type", "multipart/form-data; boundary=XX");
    request.body = multipart(name, content, fields);
    body(&client.send(&request))
}

fn multipart(name: &str, content: &[u8], fields: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (field, value) in fields {
        bytes.extend(format!("--XX\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n").bytes());
    }
    bytes.extend(
        format!("--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: application/pdf\r\n\r\n")
            .bytes(),
    );
    bytes.extend(content);
    bytes.extend(b"\r\n--XX--\r\n");
    bytes
}

const PRIVATE: (&str, &str) = ("options", "{\"access\":\"PRIVATE\"}");
const FOLDER: (&str, &str) = ("folderPath", "/imports");

#[test]
fn a_file_goes_up_and_comes_back_byte_for_byte() {
    let mut client = Client::new();
    let content: Vec<u8> = (0..=255).chain(*b"\r\n--XY\r\n").collect();
    let (status, file) = upload(&mut client, "offer.pdf", &content, &[PRIVATE, FOLDER]);
    assert_eq!(status, 201, "{file}");
    assert_eq!(
        (&file["name"], &file["extension"], &file["type"], &file["size"]),
        (&json!("offer"), &json!("pdf"), &json!("DOCUMENT"), &json!(content.len()))
    );
    assert_eq!((&file["path"], &file["access"]), (&json!("/imports/offer.pdf"), &json!("PRIVATE")));
    let id = file["id"].as_str().unwrap().to_owned();
    assert_eq!(client.get(&format!("/files/v3/files/{id}")).1, file);
    let (_, found) = client.get(&format!("/files/v3/files/search?fileMd5={}", file["fileMd5"].as_str().unwrap()));
    assert_eq!(super::ids(&found), std::slice::from_ref(&id));

    for path in ["imports/offer.pdf", "%2Fimports%2Foffer.pdf"] {
        assert_eq!(client.get(&format!("/files/v3/files/stat/{path}")), (200, json!({"file": file})), "{path}");
    }
    let (status, folder) = client.get("/files/v3/files/stat/imports");
    assert_eq!((status, &folder["folder"]["path"]), (200, &json!("/imports")), "{folder}");
    assert_eq!(folder["folder"]["id"], file["parentFolderId"]);
    assert_eq!(client.get("/files/v3/files/stat/imports/other.pdf").0, 404);

    let (_, signed) = client.get(&format!("/files/v3/files/{id}/signed-url?expirationSeconds=60"));
    let url = signed["url"].as_str().unwrap();
    let path = url.strip_prefix("http://127.0.0.1:8080").unwrap();
    let bare = |client: &mut Client, path: &str| -> Reply {
        let (path, query) = path.split_once('?').unwrap();
        let mut request = Request::new("GET", path);
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap();
            request = request.with_param(name, value);
        }
        client.send(&request)
    };
    let reply = bare(&mut client, path);
    assert_eq!((reply.status, reply.body.as_slice()), (200, content.as_slice()), "without a token");
    assert_eq!(bare(&mut client, &format!("{path}0")).status, 403);
    client.now += 60_000;
    assert_eq!(bare(&mut client, path).status, 403, "expired");
    let request = client.request("GET", &format!("/files/v3/files/{id}/download"));
    assert_eq!(client.send(&request).body, content);
}

#[test]
fn an_upload_needs_access_and_exactly_one_folder() {
    let mut client = Client::new();
    for fields in [
        vec![FOLDER],
        vec![("options", "{}"), FOLDER],
        vec![("options", "{\"access\":\"SECRET\"}"), FOLDER],
        vec![("options", "no json"), FOLDER],
        vec![PRIVATE],
        vec![PRIVATE, FOLDER, ("folderId", "1")],
    ] {
        refused(upload(&mut client, "a.pdf", b"x", &fields), 400, "VALIDATION_ERROR");
    }
    let mut broken =
        client.request("POST", "/files/v3/files").with_header("content-type", "multipart/form-data; boundary=YY");
    broken.body = multipart("a.pdf", b"x", &[PRIVATE, FOLDER]);
    refused(body(&client.send(&broken)), 400, "VALIDATION_ERROR");
    refused(client.get("/files/v3/files/1"), 404, "OBJECT_NOT_FOUND");
    let import = json!({"url": "https://example.com/a", "access": "PRIVATE", "folderPath": "/"});
    refused(client.post("/files/v3/files/import-from-url/async", import), 400, "VALIDATION_ERROR");
}

#[test]
fn names_and_folders() {
    let mut client = Client::new();
    let (_, first) = upload(&mut client, "a.pdf", b"1", &[PRIVATE, FOLDER]);
    let folder = first["parentFolderId"].as_str().unwrap().to_owned();
    let (_, second) = upload(&mut client, "a.pdf", b"2", &[PRIVATE, ("folderId", &folder), ("fileName", "a")]);
    assert_eq!((&second["name"], &second["path"]), (&json!("a-1"), &json!("/imports/a-1.pdf")));
    let path = format!("/files/v3/files/{}", first["id"].as_str().unwrap());
    let (_, renamed) = client.patch(&path, json!({"name": "b", "access": "PUBLIC_NOT_INDEXABLE"}));
    assert_eq!((&renamed["name"], &renamed["access"]), (&json!("b"), &json!("PUBLIC_NOT_INDEXABLE")));
    let mut put = client.request("PUT", &path).with_header("content-type", "multipart/form-data; boundary=XX");
    put.body = multipart("c.pdf", b"new", &[]);
    let (status, replaced) = body(&client.send(&put));
    assert_eq!((status, &replaced["size"], &replaced["name"]), (200, &json!(3), &json!("b")));
    assert_eq!(client.delete(&path).0, 204);
    assert_eq!(client.get(&path).0, 404);
}

#[test]
fn a_note_names_files_that_exist() {
    let mut client = Client::new();
    let (_, file) = upload(&mut client, "a.pdf", b"1", &[PRIVATE, FOLDER]);
    let id = file["id"].as_str().unwrap();
    let note = |ids: &str| json!({"properties": {"hs_timestamp": "2020-01-02T03:04:05Z", "hs_attachment_ids": ids}});
    refused(client.post("/crm/v3/objects/notes", note(&format!("{id};7"))), 400, "VALIDATION_ERROR");
    let (status, made) = client.post("/crm/v3/objects/notes", note(id));
    assert_eq!((status, &made["properties"]["hs_attachment_ids"]), (201, &json!(id)));
    assert_eq!(made["properties"]["hs_timestamp"], "2020-01-02T03:04:05.000Z", "the past is accepted");
}
