//! Attachments and files: sizes, check sums, the document behind a version and its links.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::{Value as Json, json};

use super::{Draft, flag};
use crate::salesforce::instant::stamp;
use crate::salesforce::refusal::Fault;
use crate::salesforce::world::{World, is_deleted, text};
use crate::salesforce::write::{self, Writer};

pub(super) fn attachment(draft: &mut Draft<'_>) {
    let bytes = STANDARD.decode(draft.text("Body")).unwrap_or_default();
    draft.set("BodyLength", json!(bytes.len()));
}

/// Size, MD5 and type of a version's bytes; its number within its document.
pub(super) fn version(world: &World, draft: &mut Draft<'_>) -> Result<(), Fault> {
    if draft.old.is_some() {
        return Ok(());
    }
    if draft.text("VersionData").is_empty() || draft.text("PathOnClient").is_empty() {
        let missing: Vec<&str> =
            ["VersionData", "PathOnClient"].into_iter().filter(|field| draft.text(field).is_empty()).collect();
        let message = format!("Required fields are missing: [{}]", missing.join(", "));
        return Err(Fault::row("REQUIRED_FIELD_MISSING", message, &missing));
    }
    let bytes = STANDARD.decode(draft.text("VersionData")).unwrap_or_default();
    let sum: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let extension = draft.text("PathOnClient").rsplit_once('.').map(|(_, extension)| extension.to_owned());
    let number = world
        .rows("ContentVersion")
        .filter(|(_, other)| {
            !draft.text("ContentDocumentId").is_empty()
                && text(other, "ContentDocumentId") == draft.text("ContentDocumentId")
        })
        .count()
        + 1;
    draft.set("ContentSize", json!(bytes.len()));
    draft.set("Checksum", json!(sum));
    draft.set("FileType", json!(extension.clone().map_or("UNKNOWN".to_owned(), |extension| extension.to_uppercase())));
    draft.set("FileExtension", extension.map_or(Json::Null, Json::String));
    draft.set("VersionNumber", json!(number.to_string()));
    draft.set("IsLatest", json!(true));
    draft.set("PublishStatus", json!("P"));
    draft.set("ContentModifiedDate", json!(stamp(draft.by.at)));
    draft.set("ContentLocation", json!("S"));
    if draft.text("Title").is_empty() {
        let path = draft.text("PathOnClient").to_owned();
        draft.set("Title", json!(path));
    }
    Ok(())
}

/// A file hangs once on a record (sheet: section 9).
pub(super) fn link(world: &World, draft: &Draft<'_>) -> Result<(), Fault> {
    if draft.old.is_some() {
        return Ok(());
    }
    let Some(field) = draft.object.any_field("LinkedEntityId") else { return Ok(()) };
    let entity = json!(draft.text("LinkedEntityId"));
    let twin = world.live_by_value("ContentDocumentLink", field, &entity).iter().any(|id| {
        world
            .get("ContentDocumentLink", id)
            .is_some_and(|link| text(link, "ContentDocumentId") == draft.text("ContentDocumentId"))
    });
    if twin {
        let message = format!(
            "duplicate value found: LinkedEntityId duplicates value on record with id: {}",
            draft.text("LinkedEntityId")
        );
        return Err(Fault::row("DUPLICATE_VALUE", message, &[]));
    }
    Ok(())
}

/// The first version makes a document, linked to its owner and to where it was published; a later one takes
/// the place of the version before.
pub(super) fn publish(world: &mut World, id: &str, by: &Writer) -> Result<(), Fault> {
    let Some(version) = world.get("ContentVersion", id).cloned() else { return Ok(()) };
    let shown: BTreeMap<String, Json> =
        ["Title", "Description", "PublishStatus", "FileType", "FileExtension", "ContentSize"]
            .into_iter()
            .filter_map(|field| Some((field.to_owned(), version.get(field)?.clone())))
            .chain([("LatestPublishedVersionId".to_owned(), json!(id))])
            .collect();
    let document = text(&version, "ContentDocumentId").to_owned();
    if !document.is_empty() {
        let older: Vec<String> = world
            .rows("ContentVersion")
            .filter(|(other, row)| {
                *other != id
                    && text(row, "ContentDocumentId") == document
                    && flag(Some(row), "IsLatest")
                    && !is_deleted(row)
            })
            .map(|(other, _)| other.clone())
            .collect();
        for other in older {
            write::change(
                world,
                "ContentVersion",
                &other,
                BTreeMap::from([("IsLatest".to_owned(), json!(false))]),
                by,
            )?;
        }
        return write::change(world, "ContentDocument", &document, shown, by);
    }
    let mut fields = shown;
    fields.insert("OwnerId".to_owned(), json!(text(&version, "OwnerId")));
    let document = write::insert(world, "ContentDocument", fields, by)?;
    let to_document = BTreeMap::from([("ContentDocumentId".to_owned(), json!(document))]);
    write::change(world, "ContentVersion", id, to_document, by)?;
    let owner = text(&version, "OwnerId").to_owned();
    let place = text(&version, "FirstPublishLocationId").to_owned();
    for (entity, share) in [(owner.clone(), "I"), (place, "V")] {
        if entity.is_empty() || share == "V" && entity == owner {
            continue;
        }
        let link =
            [("ContentDocumentId", json!(document)), ("LinkedEntityId", json!(entity)), ("ShareType", json!(share))];
        let link = link.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
        write::insert(world, "ContentDocumentLink", link, by)?;
    }
    Ok(())
}
